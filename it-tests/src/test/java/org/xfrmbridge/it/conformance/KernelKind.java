package org.xfrmbridge.it.conformance;

/** The kernels that judge. */
enum KernelKind {
    /** This machine's, in a fresh network namespace. Compared only where it is Linux 6.18, for older ones differ. */
    HOST("linux-6.18", Profile.POLICIES),
    /** Debian's cloud kernel, under qemu. */
    LINUX_6_12("linux-6.12", Profile.STATES_6_12),
    /** Debian's user-mode-linux. */
    LINUX_6_1("linux-6.1", Profile.STATES_6_1);

    /** Names its recording. */
    final String release;

    final Profile profile;

    KernelKind(String release, Profile profile) {
        this.release = release;
        this.profile = profile;
    }
}
