/*
 * Waiting for an answer that comes at once. The kernel answers within the call that asks; the bridge needs a few
 * microseconds, and a process that sleeps meanwhile is woken tens of microseconds later. So the first receive behind a
 * send, or behind a part of a dump, looks for the answer for a moment before it sleeps. It yields the core every
 * microsecond, and tries less and less often where the answers take longer.
 */
#ifndef XFRM_BRIDGE_DIALOGUE_H
#define XFRM_BRIDGE_DIALOGUE_H

#include <stdbool.h>
#include <stdint.h>

/* A request was sent on `fd`, or a part of an answer was received: there is more to come. */
void dialogue_asked(int fd);

/*
 * Whether a receive on `fd` should look before it sleeps: it is the first one since the above, and answers were fast
 * lately.
 */
bool dialogue_is_open(int fd);

struct dialogue {
    uint64_t start_ns, yielded_ns;
};

/*
 * Before the first look. Between two looks: lets others run if none could for a microsecond; false if the moment is
 * over.
 */
void dialogue_begin(struct dialogue *dialogue);
bool dialogue_goes_on(struct dialogue *dialogue);

/* How looking ended. */
void dialogue_ended(bool answered);

/*
 * Waits until the bridge has taken all that was sent on `fd`, for so long at most. A PF_KEY message is taken when it
 * has been answered; and what the bridge was told of a socket it then knows before it hears of what another socket
 * sends.
 */
enum { MEMBERSHIP_PATIENCE_MS = 1000 };
void dialogue_settle(int fd, uint64_t patience_ms);

#endif
