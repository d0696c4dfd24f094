/* notify.h: word to the service manager, as sd_notify(3) has it; nothing without one. */
#ifndef INVIGIL_NOTIFY_H
#define INVIGIL_NOTIFY_H

#include <stdint.h>

void notify(const char *state); /* "READY=1" */
/* Keeps a watchdog from barking, as often as it asks for; called at least every second. now: boot ns. */
void notify_alive(uint64_t now);

#endif
