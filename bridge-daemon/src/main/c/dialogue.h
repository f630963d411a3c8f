/*
 * Waiting for an answer that comes at once. The kernel answers within the call that asks; the bridge needs a few microseconds, and a process
 * that sleeps meanwhile is woken tens of microseconds later. So the first receive behind a send, or behind a part of a dump, looks for the answer
 * for a moment before it sleeps. It yields the core between two looks, and tries less and less often where the answers take longer.
 */
#ifndef XFRM_BRIDGE_DIALOGUE_H
#define XFRM_BRIDGE_DIALOGUE_H

#include <stdbool.h>
#include <time.h>

/* A request was sent on `fd`, or a part of an answer was received: there is more to come. */
void dialogue_asked(int fd);

/* Whether a receive on `fd` should look before it sleeps: it is the first one since the above, and answers were fast lately. */
bool dialogue_is_open(int fd);

/* Between two looks, `since` the first: lets others run; false if the moment is over. */
bool dialogue_goes_on(const struct timespec *since);

/* How looking ended. */
void dialogue_ended(bool answered);

#endif
