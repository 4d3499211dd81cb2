# SPDX-License-Identifier: MIT
# Builds for Windows on x64 with clang and mingw-w64's headers, on Linux or in MSYS2.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

find_program(AVB_CLANG clang REQUIRED)
set(CMAKE_C_COMPILER ${AVB_CLANG})
set(CMAKE_C_COMPILER_TARGET x86_64-w64-mingw32)

# A driver has no C runtime to link a test program with.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
