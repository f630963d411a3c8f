/*
 * A kernel answers every request in the call that sends it, so programs wait for the answer without a limit; charon
 * takes an error of the receive for no answer, and goes on waiting. What a bridge took with it when it died is answered
 * by an error message, once another is there or none comes. By descriptor: a wrong guess is an answer to a request that
 * nobody waits for.
 */
#include "requests.h"

#include "names.h"

#include <errno.h>

enum { ANSWERED, ASKED, REFUSED };

struct request {
    _Atomic uint32_t sequence;
    _Atomic uint16_t type;
    _Atomic uint16_t state;
};

/* Larger numbers have none. */
static struct request requests[1024];

static struct request *request_of(int fd)
{
    return (unsigned) fd < sizeof requests / sizeof *requests ? &requests[fd] : NULL;
}

void request_none(int fd)
{
    struct request *request = request_of(fd);
    if (request != NULL)
        atomic_store_explicit(&request->state, ANSWERED, memory_order_relaxed);
}

void request_sent(int fd, const struct nlmsghdr *first)
{
    struct request *request = request_of(fd);
    if (request == NULL)
        return;
    atomic_store_explicit(&request->sequence, first->nlmsg_seq, memory_order_relaxed);
    atomic_store_explicit(&request->type, first->nlmsg_type, memory_order_relaxed);
    atomic_store_explicit(&request->state, ASKED, memory_order_relaxed);
}

void request_answered(int fd, const struct nlmsghdr *first)
{
    struct request *request = request_of(fd);
    bool more = (first->nlmsg_flags & NLM_F_MULTI) && first->nlmsg_type != NLMSG_DONE;
    if (request != NULL && !more && atomic_load_explicit(&request->sequence, memory_order_relaxed) == first->nlmsg_seq)
        atomic_store_explicit(&request->state, ANSWERED, memory_order_relaxed);
}

bool request_lost(int fd)
{
    struct request *request = request_of(fd);
    uint16_t asked = ASKED;
    return request != NULL && atomic_compare_exchange_strong(&request->state, &asked, REFUSED);
}

bool request_refused(int fd, bool peeks, struct nlmsgerr *error)
{
    struct request *request = request_of(fd);
    uint16_t refused = REFUSED;
    if (request == NULL || atomic_load_explicit(&request->state, memory_order_relaxed) != REFUSED)
        return false;
    error->error = -ENOBUFS;
    error->msg = (struct nlmsghdr) {.nlmsg_len = sizeof error->msg,
            .nlmsg_type = atomic_load_explicit(&request->type, memory_order_relaxed),
            .nlmsg_flags = NLM_F_REQUEST,
            .nlmsg_seq = atomic_load_explicit(&request->sequence, memory_order_relaxed)};
    return peeks || atomic_compare_exchange_strong(&request->state, &refused, ANSWERED);
}
