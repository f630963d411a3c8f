/*
 * Looking at programs. A script is what its interpreter is. The dynamic loader takes LD_PRELOAD only where there is a
 * loader, of the C library that the preload library was built for, and where the kernel has not set AT_SECURE
 * (cap_bprm_creds_from_file()): the program runs as another user or group than the caller's real ones, or has
 * capabilities that a caller other than root did not have.
 */
#define _GNU_SOURCE
#include "program.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Where a shell without PATH looks. */
static const char DEFAULT_PATH[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Scripts whose interpreters are scripts: the kernel follows five. Of a script's first line it reads 255 bytes. */
enum { MOST_SCRIPTS = 5, LINE_ROOM = 256, MOST_HEADERS = 64, NOTE_ROOM = 1024, GO_BUILD_ID = 4 };

/* The linker's name for the head of this very program. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static bool no(char reason[REASON_ROOM], const char *format, const char *what)
{
    snprintf(reason, REASON_ROOM, format, what);
    return false;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The loader of this very program, which is built with the library. */
static void own_loader(char path[PATH_ROOM])
{
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *) getauxval(AT_PHDR);
    uintptr_t base = 0;
    path[0] = '\0';
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
        if (headers[i].p_type == PT_PHDR)
            base = (uintptr_t) headers - headers[i].p_vaddr;
        if (headers[i].p_type == PT_INTERP)
            snprintf(path, PATH_ROOM, "%s", (const char *) (base + headers[i].p_vaddr));
    }
}

static bool is_same_file(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * A caller that is not root gets what it did not have, or what it has becomes effective: that alone counts if no
 * privileges may be gained. Newer forms of the attribute are longer and begin the same.
 */
static bool has_capabilities(int fd, bool gains_none)
{
    struct vfs_ns_cap_data data = {0};
    ssize_t length = fgetxattr(fd, "security.capability", &data, sizeof data);
    if (length < (ssize_t) XATTR_CAPS_SZ_1)
        return length < 0 && errno == ERANGE;
    uint32_t permitted = data.data[0].permitted | (length >= (ssize_t) XATTR_CAPS_SZ_2 ? data.data[1].permitted : 0);
    return (permitted != 0 && !gains_none) || (le32toh(data.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE);
}

static bool runs_as_the_caller(int fd, const char *path, char reason[REASON_ROOM])
{
    struct stat status;
    struct statvfs file_system;
    if (fstat(fd, &status) != 0 || fstatvfs(fd, &file_system) != 0)
        return no(reason, "%s can't be looked at", path);
    bool gains_none = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, bare = file_system.f_flag & ST_NOSUID;
    mode_t mode = gains_none || bare ? 0 : status.st_mode;
    if ((mode & S_ISUID ? status.st_uid : geteuid()) != getuid())
        return no(reason, "%s runs as another user than the caller (setuid), and LD_PRELOAD is ignored there", path);
    if ((mode & S_ISGID && mode & S_IXGRP ? status.st_gid : getegid()) != getgid())
        return no(reason, "%s runs as another group than the caller (setgid), and LD_PRELOAD is ignored there", path);
    if (!bare && getuid() != 0 && has_capabilities(fd, gains_none))
        return no(reason, "%s has rights that the caller has not (file capabilities), and LD_PRELOAD is ignored there",
                path);
    return true;
}

static bool is_go(int fd, const ElfW(Phdr) *note)
{
    struct {
        ElfW(Nhdr) header;
        char name[4];
    } start;
    char notes[NOTE_ROOM];
    ssize_t length =
            pread(fd, notes, note->p_filesz < sizeof notes ? note->p_filesz : sizeof notes, (off_t) note->p_offset);
    for (size_t at = 0; length > 0 && at + sizeof start <= (size_t) length;) {
        memcpy(&start, notes + at, sizeof start);
        if (start.header.n_namesz == 4 && start.header.n_type == GO_BUILD_ID && memcmp(start.name, "Go\0", 4) == 0)
            return true;
        at += sizeof start.header + ((size_t) start.header.n_namesz + 3) / 4 * 4
                + ((size_t) start.header.n_descsz + 3) / 4 * 4;
    }
    return false;
}

static bool has_our_loader(int fd, const ElfW(Phdr) *wanted, const char *path, char reason[REASON_ROOM])
{
    char own[PATH_ROOM], loader[PATH_ROOM] = "";
    own_loader(own);
    if (wanted == NULL)
        return is_same_file(path, own) || no(reason, "%s is a static program, which no library is loaded into", path);
    size_t room = wanted->p_filesz < sizeof loader ? wanted->p_filesz : sizeof loader - 1;
    if (pread(fd, loader, room, (off_t) wanted->p_offset) != (ssize_t) room)
        return no(reason, "%s can't be read", path);
    if (is_same_file(loader, own) || strcmp(name_of(loader), name_of(own)) == 0)
        return true;
    snprintf(reason, REASON_ROOM, "%s is for another C library (%s) than the preload library (%s)", path,
            name_of(loader), name_of(own));
    return false;
}

static bool elf_takes_library(int fd, const ElfW(Ehdr) *elf, const char *path, char reason[REASON_ROOM])
{
    ElfW(Phdr) headers[MOST_HEADERS], *loader = NULL;
    if (elf->e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] || elf->e_machine != __ehdr_start.e_machine)
        return no(reason, "%s is for another kind of processor than the preload library", path);
    size_t bytes = (elf->e_phnum < MOST_HEADERS ? elf->e_phnum : MOST_HEADERS) * sizeof *headers;
    if (elf->e_phentsize != sizeof *headers || pread(fd, headers, bytes, (off_t) elf->e_phoff) != (ssize_t) bytes)
        return no(reason, "%s can't be read", path);
    for (size_t i = 0; i < bytes / sizeof *headers; i++) {
        if (headers[i].p_type == PT_INTERP)
            loader = &headers[i];
        if (headers[i].p_type == PT_NOTE && is_go(fd, &headers[i]))
            return no(reason, "%s is a Go program, whose system calls pass any library by", path);
    }
    return has_our_loader(fd, loader, path, reason) && runs_as_the_caller(fd, path, reason);
}

static bool is_program(const char *path)
{
    struct stat status;
    return access(path, X_OK) == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/*
 * The words of a script's first line: the interpreter, and for env the first that is a program, as options may have
 * words of their own.
 */
static bool script_program(char *line, char path[PATH_ROOM])
{
    char *rest = line, *word = strtok_r(line, " \t\n", &rest);
    if (word == NULL)
        return false;
    snprintf(path, PATH_ROOM, "%s", word);
    if (strcmp(name_of(word), "env") != 0)
        return true;
    do {
        word = strtok_r(NULL, " \t\n", &rest);
    } while (word != NULL
            && (*word == '-' || strchr(word, '=') != NULL || !program_find(word, path) || !is_program(path)));
    return true;
}

static bool takes_library(const char *path, int scripts, char reason[REASON_ROOM])
{
    union {
        ElfW(Ehdr) elf;
        char line[LINE_ROOM];
    } start = {0};
    char interpreter[PATH_ROOM];
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return true; /* to open a pipe or a device does something, and exec says that it is no program */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? no(reason, "%s can't be read, so it is not known what it is", path)
                               : true; /* what is wrong exec says */
    ssize_t length = read(fd, start.line, sizeof start.line - 1);
    bool takes = true; /* a script without a first line: the shell's */
    if (length >= (ssize_t) sizeof start.elf && memcmp(start.elf.e_ident, ELFMAG, SELFMAG) == 0)
        takes = elf_takes_library(fd, &start.elf, path, reason);
    else if (length > 2 && memcmp(start.line, "#!", 2) == 0) {
        start.line[strcspn(start.line, "\n")] = '\0';
        takes = scripts == 0 || !script_program(start.line + 2, interpreter)
                || takes_library(interpreter, scripts - 1, reason);
    }
    close(fd);
    return takes;
}

bool program_takes_library(const char *path, char reason[REASON_ROOM])
{
    return takes_library(path, MOST_SCRIPTS, reason);
}

bool program_find(const char *command, char path[PATH_ROOM])
{
    const char *set = getenv("PATH"), *place = set != NULL ? set : DEFAULT_PATH;
    if (strchr(command, '/') != NULL)
        return snprintf(path, PATH_ROOM, "%s", command) < PATH_ROOM;
    for (const char *end = place; end != NULL; place = end + 1) {
        end = strchr(place, ':');
        int length = end != NULL ? (int) (end - place) : (int) strlen(place);
        int written =
                snprintf(path, PATH_ROOM, "%.*s/%s", length == 0 ? 1 : length, length == 0 ? "." : place, command);
        if (written < PATH_ROOM && is_program(path))
            return true;
        if (end == NULL)
            break;
    }
    return false;
}
