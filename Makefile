# SPDX-License-Identifier: MIT
# A thin front for CMake; `make help` says what there is.

PREFIX ?= /usr/local
DESTDIR ?=
ARGS ?=
CHECK_STAGES := build unit e2e windows sanitize fuzz install lint

.PHONY: all setup install uninstall windows package-windows demo bench check $(CHECK_STAGES:%=check-%) lint format clean help

all:
	@scripts/build.sh release

setup:
	@scripts/setup.sh build demo windows test
	@scripts/setup.sh wine || true

windows:
	@scripts/setup.sh windows
	@scripts/build-windows.sh $(ARGS)

package-windows:
	@scripts/setup.sh windows
	@scripts/package-windows.sh $(ARGS)

install:
	@scripts/build.sh release -DCMAKE_INSTALL_PREFIX=$(abspath $(PREFIX))
	@DESTDIR=$(DESTDIR) cmake --install build

uninstall:
	@DESTDIR=$(DESTDIR) scripts/uninstall.sh build

demo:
	@scripts/setup.sh build demo
	@scripts/build.sh release
	@scripts/demo.sh $(ARGS)

bench:
	@scripts/build.sh release
	@build/bench_ring $(ARGS)
	@build/bench_analyze

check:
	@scripts/check.sh setup build unit e2e,windows+lint,sanitize,fuzz install

$(CHECK_STAGES:%=check-%): check-%:
	@scripts/check.sh $*

lint: check-lint

format:
	@scripts/lint.sh --fix

clean:
	rm -rf build build-debug build-asan build-tsan build-fuzz

help:
	@echo 'make                 build/ptpmon and the libraries; installs nothing'
	@echo 'make windows         build/windows/avbptpmon.sys, the Windows driver, from Linux; ARGS=--test-sign signs it'
	@echo 'make package-windows build/windows-package/ptpmon-VERSION-windows-x64.zip: driver, programs, Python, documents'
	@echo 'make install         into PREFIX (default /usr/local), below DESTDIR where it is given'
	@echo 'make uninstall       removes what `make install` installed last, with the same DESTDIR'
	@echo 'make demo            installs what is missing, builds and shows ptpmon with a running ptp4l;'
	@echo '                     ARGS="..." goes to `ptpmon demo`'
	@echo 'make bench           measures the ring and the analysis; docs/performance.md names other programs in build/'
	@echo 'make check           installs what is missing and runs every test'
	@echo 'make check-STAGE     one part of it: $(CHECK_STAGES)'
	@echo 'make lint, format    static checks; rewrite the C files as .clang-format says'
	@echo 'make setup           installs the Debian packages for all of this'
	@echo 'make clean           removes the build directories'
