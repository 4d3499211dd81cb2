# SPDX-License-Identifier: MIT
# What a program that runs with privileges and parses foreign frames is compiled with.
include(CheckPIESupported)
include(CheckCCompilerFlag)

check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(flags -fstack-protector-strong)
if(NOT WIN32) # where large frames are probed anyway, and the compiler cannot describe the frames of the second
    list(APPEND flags -fstack-clash-protection -fcf-protection)
endif()
foreach(flag IN LISTS flags)
    string(MAKE_C_IDENTIFIER "PTPMON_HAS${flag}" supported)
    check_c_compiler_flag(${flag} ${supported})
    if(${supported})
        add_compile_options(${flag})
    endif()
endforeach()
if(NOT WIN32)
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# A sanitizer checks more than these do, and leaves symbols of its runtime undefined in a shared library.
if(NOT PTPMON_SANITIZE)
    add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
    if(NOT WIN32)
        add_link_options(-Wl,-z,defs)
    endif()
endif()
