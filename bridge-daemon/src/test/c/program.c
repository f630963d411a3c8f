/*
 * program: says whether the kernel trusts its environment, and what it reads of a file of the bridge.
 * program grant FILE: gives a file CAP_NET_ADMIN. With -DGO it has the note that Go programs have.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/xattr.h>

#ifdef GO
__asm__(".pushsection .note.go.buildid, \"a\", %note\n"
        ".balign 4\n"
        ".long 4, 4, 4\n"
        ".asciz \"Go\\0\"\n"
        ".asciz \"id1\"\n"
        ".popsection");
#endif

static int grant(const char *file)
{
    struct vfs_cap_data data = {
            .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, .data[0].permitted = 1u << CAP_NET_ADMIN};
    return setxattr(file, "security.capability", &data, sizeof data, 0) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    char line[64] = "no file\n";
    if (argc == 3 && strcmp(argv[1], "grant") == 0)
        return grant(argv[2]);
    FILE *file = fopen("/proc/net/xfrm_stat", "r");
    if (file != NULL && fgets(line, sizeof line, file) == NULL)
        return 1;
    printf("secure %lu, %s", getauxval(AT_SECURE), line);
    return 0;
}
