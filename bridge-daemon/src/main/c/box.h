/*
 * Boxes: messages between a client and the bridge through memory that both map, while both look without sleeping. A
 * socket costs such a pair three microseconds for a request and its answer, which is more than the bridge works for it.
 *
 * A mailbox is a memfd of two boxes, one for requests and one for answers. The client makes it and seals its size, so
 * that it can't make the bridge touch memory that is gone; then it passes it through its socket with a MAILBOX frame,
 * and nothing is answered. A box holds one message, and only while its receiver is inside a receive, so that poll() on
 * the socket tells all there is. Everything else goes through the socket as ever, and so does everything if either side
 * won't have a mailbox. Both boxes keep this protocol, whose states are
 *
 *     IDLE       nobody looks: use the socket, which wakes the receiver
 *     LOOKING    a receiver looks here                   IDLE -> LOOKING by a receiver,
 *                                                        LOOKING -> IDLE when it looks elsewhere
 *     CLAIMED    a sender copies a message in            LOOKING -> CLAIMED by that sender
 *     FULL       `length` bytes are there                CLAIMED -> FULL by that sender
 *     TAKEN      a receiver copies them out              FULL -> TAKEN by that receiver,
 *                                                        TAKEN -> IDLE when it has wiped them
 *     REVOKED    no receiver waits for that sender       CLAIMED -> REVOKED by a receiver,
 *                                                        REVOKED -> IDLE by that sender
 *
 * each reached by one compare-and-swap, so that any number of threads may send and receive. Who loses one uses the
 * socket. One that dies in CLAIMED or TAKEN leaves a box that is never LOOKING again. And
 *
 * - order: a sender puts a message in only after it has seen that nothing it sent through the socket is unread
 *   (SIOCOUTQ), and a receiver leaves LOOKING before it reads the socket. So what is in a box is older than all there
 *   is in the socket.
 * - the bridge takes an answer back that is still there before it sleeps, or before it sends through the socket: FULL
 *   -> CLAIMED -> IDLE. So it does not matter if a receiver that looked is gone (a longjmp() out of a signal handler, a
 *   child's parent).
 * - `since` says when the receiver began to look, on CLOCK_MONOTONIC, and a sender doesn't believe what is older than a
 *   millisecond: one that was killed never sleeps, and would get requests.
 * - nothing in a box is trusted: lengths are checked, and a message is copied out before it is read.
 */
#ifndef XFRM_BRIDGE_BOX_H
#define XFRM_BRIDGE_BOX_H

#include "real.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum box_state { BOX_IDLE, BOX_LOOKING, BOX_CLAIMED, BOX_FULL, BOX_TAKEN, BOX_REVOKED };

/* No datagram of a dump is larger. */
enum { BOX_ROOM = 32768, BOX_BYTES = 36864 };

struct box {
    _Atomic uint32_t state, length;
    _Atomic uint64_t since;
    char bytes[BOX_BYTES - 16];
};

struct mailbox {
    struct box requests, answers;
};

/*
 * Puts a readable message of `length` bytes in that is to be sent on `fd`; false if the socket must be used. Keeps
 * errno.
 */
bool box_send(struct box *box, int fd, const struct msghdr *message, size_t length);

/*
 * recvmsg() that looks for one to five microseconds; -1 and EAGAIN if there was nothing. Never waits for the sender,
 * and isn't a point where a thread is cancelled while it looks.
 */
ssize_t box_receive(struct box *box, struct msghdr *message, int flags);

#endif
