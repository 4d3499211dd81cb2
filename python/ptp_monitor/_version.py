# SPDX-License-Identifier: MIT
#: Of this package, and of the release of libptpmon that it belongs to.
__version__ = "0.1.0"
