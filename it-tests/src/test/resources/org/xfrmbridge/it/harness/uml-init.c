/*
 * The first process of a user-mode-linux guest (UmlGuest.java): static, as the guest's root is the host's.
 *
 * The kernel parameter scenario=DIR names a host directory with
 *   modules   kernel modules, absolute paths in the order to load them, one per line
 *   script    what /bin/sh runs, as root
 * and GLIBC_TUNABLES=... is passed on to it. The guest sees the host's files read-only, and DIR writable as /mnt. What
 * the script prints goes to DIR/output, its exit code to DIR/exit-code.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void power_off(void)
{
    sync();
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

static void check(int failed, const char *what)
{
    if (!failed)
        return;
    fprintf(stderr, "uml-init: %s: %s\n", what, strerror(errno));
    power_off();
}

static void mount_at(const char *type, const char *target, const char *options)
{
    /* busy: the kernel has mounted it already, as it may do with /dev */
    check(mount("none", target, type, 0, options) && errno != EBUSY, target);
}

static void load_modules(void)
{
    char path[4096];
    FILE *list = fopen("/mnt/modules", "re");

    check(!list, "modules");
    while (fgets(path, sizeof path, list)) {
        path[strcspn(path, "\n")] = 0;
        int module = open(path, O_RDONLY | O_CLOEXEC);
        check(module < 0, path);
        if (syscall(SYS_finit_module, module, "", 0) && errno != EEXIST)
            fprintf(stderr, "uml-init: %s: %s\n", path, strerror(errno));
        close(module);
    }
    fclose(list);
}

static void redirect(int descriptor, const char *path, int flags)
{
    int file = open(path, flags, 0644);

    check(file < 0 || dup2(file, descriptor) < 0, path);
}

static void run_script(void)
{
    static char *const arguments[] = {"sh", "script", NULL};

    setsid();
    redirect(0, "/dev/null", O_RDONLY);
    redirect(1, "/mnt/output", O_WRONLY | O_CREAT | O_APPEND);
    dup2(1, 2);
    check(chdir("/mnt"), "/mnt");
    unsetenv("scenario");
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("LC_ALL", "C", 1);
    execv("/bin/sh", arguments);
    _exit(127);
}

int main(void)
{
    int status = 0, file;
    pid_t script, ended;
    const char *directory = getenv("scenario");

    check(!directory, "no parameter scenario=");
    mount_at("hostfs", "/mnt", directory);
    mount_at("proc", "/proc", NULL);
    mount_at("sysfs", "/sys", NULL);
    mount_at("devtmpfs", "/dev", NULL);
    mount_at("tmpfs", "/run", NULL);
    mount_at("tmpfs", "/tmp", NULL);
    load_modules();
    /* each unknown algorithm would run modprobe in vain, a second each */
    file = open("/proc/sys/kernel/modprobe", O_WRONLY);
    if (file >= 0 && write(file, "\n", 1) < 0)
        perror("uml-init: modprobe");

    script = fork();
    check(script < 0, "fork");
    if (!script)
        run_script();
    while ((ended = wait(&status)) != script && ended > 0)
        ;
    file = open("/mnt/exit-code", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    check(file < 0, "exit-code");
    dprintf(file, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    close(file);
    power_off();
}
