package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.daemon.Commands.Result;

/**
 * What {@code ./check} and {@code ./xfrm-bridge demo} do where things are missing. Stand-ins play a machine that has no
 * JDK and no package, and an apt that knows no package "absent" and has two that exclude each other.
 */
class SetUpTest {
    private static final Path SCRIPT = Path.of("../packaging/set-up.sh").toAbsolutePath();
    private static final String TO_INSTALL = "nosuch:one charon-systemd absent strongswan-charon ?newer ?absent two";

    @TempDir
    private Path machine;

    @BeforeEach
    void make() throws IOException {
        program("dpkg-query", "exit 1");
        program("apt-cache", """
                [ "$2" = absent ] || echo "  Candidate: 1.0"
                """);
        program("apt-get", """
                echo "$@" >>"${0%/*}/called"
                ! echo " $* " | grep -qe ' absent ' -e ' charon-systemd .*strongswan-charon '
                """);
    }

    private void program(String name, String text) throws IOException {
        Path file = Files.writeString(machine.resolve(name), "#!/bin/sh\n" + text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Installing itself is a stand-in, too. */
    private Result run(int user, String mayInstall, String commands) throws Exception {
        program("id", "echo " + user);
        String script =
                "set -eu; unset JAVA_HOME; PATH=" + machine + ":$PATH me=check home=" + machine + " may_install="
                        + mayInstall + "\n. " + SCRIPT + "\ninstall_packages() { echo install \"$@\"; }\n" + commands;
        return Commands.run("sh", "-c", script);
    }

    @Test
    void shouldInstallAllTogetherWhenThatCanBe() throws Exception {
        Result result = run(0, "yes", "set_up nosuch:one two sh:shell");
        assertEquals(new Result(0, "check: installing these packages: one two\ninstall one two\n"), result);
    }

    @Test
    void shouldInstallTheOthersWhenOneCannotBeHadAndTheFirstOfTwoThatExcludeEachOther() throws Exception {
        Result result = run(0, "yes", "set_up " + TO_INSTALL);
        assertEquals(0, result.status(), result.output());
        assertTrue(result.output().endsWith("\ninstall one charon-systemd newer two\n"), result.output());
    }

    @ParameterizedTest
    @CsvSource({"0, no", "1000, yes"})
    void shouldSayInOneSentenceAllThatIsMissingWhenItMayNotInstall(int user, String mayInstall) throws Exception {
        Result result = run(user, mayInstall, "set_up $JDK nosuch:one two; require $JDK nosuch:one sh:shell two");
        assertEquals(1, result.status(), result.output());
        assertEquals(1, result.output().lines().count(), result.output());
        String said = "check: there is no JDK 25 or newer, no nosuch, no two: apt-get install openjdk-25-jdk-headless"
                + " one two" + (user == 0 ? "" : " (as root this command does)") + ".\n";
        assertEquals(said, result.output());
        assertTrue(Files.notExists(machine.resolve("called")), "apt-get is not called");
    }
}
