/*
 * Programs that change who they are. What they send through a socket has the new credentials at once, as the kernel
 * adds them to each message; mailboxes have none, and end.
 */
#include "mailbox.h"

#include <grp.h>
#include <unistd.h>

INTERPOSE(int, setuid, (uid_t user))
{
    mailbox_close_all();
    return REAL(setuid)(user);
}

INTERPOSE(int, seteuid, (uid_t user))
{
    mailbox_close_all();
    return REAL(seteuid)(user);
}

INTERPOSE(int, setreuid, (uid_t real_user, uid_t effective))
{
    mailbox_close_all();
    return REAL(setreuid)(real_user, effective);
}

INTERPOSE(int, setresuid, (uid_t real_user, uid_t effective, uid_t saved))
{
    mailbox_close_all();
    return REAL(setresuid)(real_user, effective, saved);
}

INTERPOSE(int, setgid, (gid_t group))
{
    mailbox_close_all();
    return REAL(setgid)(group);
}

INTERPOSE(int, setegid, (gid_t group))
{
    mailbox_close_all();
    return REAL(setegid)(group);
}

INTERPOSE(int, setregid, (gid_t real_group, gid_t effective))
{
    mailbox_close_all();
    return REAL(setregid)(real_group, effective);
}

INTERPOSE(int, setresgid, (gid_t real_group, gid_t effective, gid_t saved))
{
    mailbox_close_all();
    return REAL(setresgid)(real_group, effective, saved);
}

INTERPOSE(int, setgroups, (size_t count, const gid_t *groups))
{
    mailbox_close_all();
    return REAL(setgroups)(count, groups);
}

INTERPOSE(int, initgroups, (const char *user, gid_t group))
{
    mailbox_close_all();
    return REAL(initgroups)(user, group);
}
