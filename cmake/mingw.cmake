# SPDX-License-Identifier: MIT
# The user side for Windows on x64, with mingw-w64's gcc: on Linux, or in MSYS2, where its tools have the same names.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(AVB_MINGW_PREFIX x86_64-w64-mingw32)
set(CMAKE_C_COMPILER ${AVB_MINGW_PREFIX}-gcc)
find_program(CMAKE_RC_COMPILER NAMES ${AVB_MINGW_PREFIX}-windres windres)

# Nothing of the building system's own is linked or included by chance.
set(CMAKE_FIND_ROOT_PATH /usr/${AVB_MINGW_PREFIX})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
