/* python.h: where CPython keeps threads, frames and code objects; one row for each minor version. */
#ifndef INVIGIL_PYTHON_H
#define INVIGIL_PYTHON_H

#include <linux/types.h>

#define PYTHON_LAYOUTS 16
#define PYTHON_BUILDS  64 /* ELF files with an interpreter in them */
#define PYTHON_NO_GIL                                                                              \
	0x10000 /* beside a version: built without the GIL, and so laid out otherwise */

/*
 * Offsets in bytes, as that version's own headers give them (tests/python/layout.c prints the rows
 * of user/python_layout.def); -1: not there.
 */
struct python_layout {
	__u32 version;     /* 0x030b for 3.11; 0: no such row */
	__s32 gil_current; /* _PyRuntimeState.gilstate.tstate_current, until 3.11 */
	__s32 interp_head; /* _PyRuntimeState.interpreters.head; before 3.7 nowhere */
	__s32 interp_next; /* PyInterpreterState.next */
	__s32 interp_gil;  /* PyInterpreterState.ceval.gil, from 3.12 */
	__s32 gil_holder;  /* struct _gil_runtime_state.last_holder */
	__s32 thread_key;  /* autoTSSkey of _PyRuntimeState or its gilstate, from 3.7 */
	__s32 threads;     /* first thread state of an interpreter */
	__s32 thread_id;   /* PyThreadState.thread_id */
	__s32 thread_next; /* PyThreadState.next */
	__s32 cframe;      /* PyThreadState.cframe, 3.11 and 3.12 */
	__s32 frame;       /* the current frame, in cframe or PyThreadState */
	__s32 frame_back;  /* the frame that called it */
	__s32 frame_code;  /* its code object */
	__s32 frame_at;    /* until 3.10 f_lasti, then a pointer to the instruction */
	__s32 frame_owner; /* who owns it, from 3.11 */
	__s32 code_text;   /* the instructions in the code object, from 3.11 */
	__s32 code_started; /* index of the first instruction of a frame that is complete, from 3.11 */
	__s32 code_name;    /* co_name */
	__s32 code_title; /* co_qualname, until 3.10 co_name */
	__s32 code_file;  /* co_filename */
	__s32 code_line;  /* co_firstlineno */
	__s32 code_table; /* co_linetable, until 3.9 co_lnotab */
	__s32 ascii;      /* sizeof(PyASCIIObject) */
};

/* One ELF file: distances from its _PyRuntime, before 3.7 from _PyThreadState_Current. */
struct python_build {
	__u32 layout; /* index into the layouts; PYTHON_LAYOUTS: a version that is in no row */
	__u32 version;
	__s64 code_type; /* PyCode_Type */
	__s64 str_type;  /* PyUnicode_Type */
};

#endif
