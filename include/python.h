/* python.h: where CPython keeps the frame of the running thread, one row for each minor version. */
#ifndef INVIGIL_PYTHON_H
#define INVIGIL_PYTHON_H

#include <linux/types.h>

#define PYTHON_LAYOUTS 16

/* Offsets in bytes, as that version's own headers give them (Py_BUILD_CORE, offsetof); -1: not there. */
struct python_layout {
	__u32 version;     /* 0x030b for 3.11; 0: no such row */
	__s32 gil_current; /* _PyRuntimeState.gilstate.tstate_current, until 3.11 */
	__s32 interp_head; /* _PyRuntimeState.interpreters.head */
	__s32 interp_gil;  /* PyInterpreterState.ceval.gil, from 3.12 */
	__s32 gil_holder;  /* struct _gil_runtime_state.last_holder */
	__s32 thread_id;   /* PyThreadState.thread_id */
	__s32 cframe;      /* PyThreadState.cframe, 3.11 and 3.12 */
	__s32 frame;       /* the current frame, in cframe or PyThreadState */
	__s32 frame_back;
	__s32 frame_code;
	__s32 code_name; /* PyCodeObject.co_name */
	__s32 ascii;     /* sizeof(PyASCIIObject) */
};

#endif
