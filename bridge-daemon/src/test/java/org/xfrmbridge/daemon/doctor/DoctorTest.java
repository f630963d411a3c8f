package org.xfrmbridge.daemon.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.doctor.Diagnosis.Verdict;

/** What it makes of a host's files. */
class DoctorTest {
    private static final String RELEASE = "6.1.0-1-amd64";

    @TempDir
    private Path root;

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private void assertEsp(Verdict verdict, String said) {
        assertEsp(verdict, said, () -> {
            throw new IOException("not root");
        });
    }

    private void assertEsp(Verdict verdict, String said, Callable<Boolean> asked) {
        Diagnosis esp = new KernelEsp(root, RELEASE, asked).look();
        assertEquals(verdict, esp.verdict());
        assertTrue(esp.said().startsWith(said), esp.said());
    }

    @Test
    void shouldTellWhereTheKernelHasItsEsp() throws IOException {
        assertEsp(Verdict.UNSEEN, "this kernel has no modules");
        assertEsp(Verdict.NOTE, "there (built in)", () -> true);
        assertEsp(Verdict.OK, "not there", () -> false);
        write("proc/modules", "esp6 1 0 - Live 0x0\nesp4_offload 1 0 - Live 0x0\n");
        assertEsp(Verdict.UNSEEN, "not loaded; whether it can be is not seen here, as there is no /lib/modules/");
        write("lib/modules/" + RELEASE + "/modules.dep", "kernel/net/ipv4/ah4.ko: kernel/net/xfrm/xfrm_algo.ko\n");
        assertEsp(Verdict.OK, "not there");
        write("lib/modules/" + RELEASE + "/modules.dep", "kernel/net/ipv4/esp4.ko.xz: kernel/net/xfrm/xfrm_algo.ko\n");
        assertEsp(Verdict.NOTE, "not loaded, but would be");
        write("etc/modprobe.d/a.conf", "# install esp4 /bin/false\nblacklist esp4\ninstall esp6 /bin/false\n");
        assertEsp(Verdict.NOTE, "not loaded, but would be");
        write("etc/modprobe.d/b.conf", "install esp4 /bin/false\n");
        assertEsp(Verdict.OK, "blocked by /etc/modprobe.d/b.conf");
        write("lib/modules/" + RELEASE + "/modules.builtin", "kernel/net/ipv4/esp4.ko\n");
        assertEsp(Verdict.NOTE, "there (built in)");
        write("proc/modules", "esp4 28672 2 - Live 0x0\n");
        assertEsp(Verdict.NOTE, "there (module esp4)");
    }

    @Test
    void shouldTellWhetherDaemonsSpeakToABridge() throws IOException {
        write("proc/7/comm", "sshd\n");
        assertEquals(Verdict.NOTE, new IkeDaemons(root).look().getFirst().verdict());
        write("usr/sbin/iked", "");
        assertEquals(
                "none runs; once the bridge does: xfrm-bridge exec -- iked -d",
                new IkeDaemons(root).look().getFirst().said());

        write("proc/8/comm", "charon\n");
        assertEquals(Verdict.UNSEEN, new IkeDaemons(root).look().getFirst().verdict());
        write("proc/8/environ", "PATH=/bin\0LANG=C\0");
        write("proc/8/cgroup", "0::/system.slice/strongswan-starter.service\n");
        Diagnosis charon = new IkeDaemons(root).look().getFirst();
        assertEquals(Verdict.WRONG, charon.verdict());
        assertEquals("charon (process 8, strongswan-starter.service)", charon.what());
        write("proc/8/environ", "LD_PRELOAD=/x/libxfrm-bridge.so:/y.so\0XFRM_BRIDGE_DIR=/run/b\0");
        assertEquals(
                List.of(Diagnosis.ok(charon.what(), "speaks to the bridge in /run/b")), new IkeDaemons(root).look());
    }

    @Test
    void shouldTellHowAPathIsMounted() throws IOException {
        write("mounts", """
                overlay / overlay rw,relatime 0 0
                tmpfs /tmp tmpfs ro,noexec 0 0
                tmpfs /tmp tmpfs rw,noexec 0 0
                tmpfs /tmp/with\\040space tmpfs rw 0 0
                """);
        Mounts mounts = new Mounts(root.resolve("mounts"));
        assertTrue(mounts.have(Path.of("/tmp/x"), "noexec"));
        assertFalse(mounts.have(Path.of("/tmp/x"), "ro"));
        assertFalse(mounts.have(Path.of("/tmp/with space/x"), "noexec"));
        assertFalse(mounts.have(Path.of("/tmpx"), "noexec"));
    }

    @Test
    void shouldSayTheWorstByItsExitCode() {
        Diagnosis well = Diagnosis.ok("a", null);
        Diagnosis unseen = Diagnosis.unseen("b", "not seen");
        assertEquals(0, new Report("6.1", null, true, List.of(well, unseen)).exitCode());
        Report report = new Report("6.1", "docker", false, List.of(well, Diagnosis.wrong("c", "mend it")));
        assertEquals(1, report.exitCode());
        assertTrue(report.toString().contains("\n  WRONG  c: mend it\n"), report.toString());
        assertTrue(report.toJson().contains("\"verdict\": \"WRONG\""), report.toJson());
    }
}
