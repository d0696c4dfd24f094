/* engine_socket.h: finds the listening sockets of container engines on this host. */
#ifndef INVIGIL_ENGINE_SOCKET_H
#define INVIGIL_ENGINE_SOCKET_H

#include <stdint.h>

/* fn is called for each; dev in the kernel's encoding (major << 20 | minor). */
void engine_sockets(void (*fn)(void *ctx, const char *path, uint64_t ino, uint32_t dev), void *ctx);

#endif
