package org.xfrmbridge.daemon.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Whether the kernel itself does ESP, as its files tell. One that has modules is not asked, as it would load them for
 * the asking.
 */
final class KernelEsp {
    private static final String WHAT = "ESP of the kernel";
    private static final String OTHERS = "daemons that are not under exec use that";
    private static final List<String> SETTINGS = List.of("etc/modprobe.d", "run/modprobe.d", "usr/lib/modprobe.d");

    private static final int EPROTONOSUPPORT = 93;

    private final Path root;
    private final Path modules;
    private final Callable<Boolean> asked;

    /**
     * @param root of the file system
     * @param release of the kernel
     * @param asked whether it does ESP, of a kernel that loads nothing for that
     */
    KernelEsp(Path root, String release, Callable<Boolean> asked) {
        this.root = root;
        this.asked = asked;
        this.modules = root.resolve("lib/modules").resolve(release);
    }

    Diagnosis look() {
        if (has(root.resolve("proc/modules"), "esp4 ")) {
            return Diagnosis.note(WHAT, "there (module esp4): " + OTHERS);
        }
        if (has(modules.resolve("modules.builtin"), "kernel/net/ipv4/esp4.ko")) {
            return Diagnosis.note(WHAT, "there (built in): " + OTHERS);
        }
        if (!Files.exists(root.resolve("proc/modules"))) {
            return withoutModules();
        }
        if (!Files.exists(modules.resolve("modules.dep"))) {
            return Diagnosis.unseen(
                    WHAT, "not loaded; whether it can be is not seen here, as there is no " + shown(modules));
        }
        if (!has(modules.resolve("modules.dep"), "kernel/net/ipv4/esp4.ko")) {
            return Diagnosis.ok(WHAT, "not there: the bridge does it");
        }
        return blocked()
                .map(file -> Diagnosis.ok(WHAT, "blocked by " + shown(file) + ": the bridge does it"))
                .orElseGet(() -> Diagnosis.note(WHAT, "not loaded, but would be (module esp4): " + OTHERS));
    }

    private Diagnosis withoutModules() {
        try {
            return asked.call()
                    ? Diagnosis.note(WHAT, "there (built in): " + OTHERS)
                    : Diagnosis.ok(WHAT, "not there: the bridge does it");
        } catch (Exception e) {
            return Diagnosis.unseen(WHAT, "this kernel has no modules, and does not say what is built in");
        }
    }

    /**
     * Whether the kernel takes an SA for ESP, in a network namespace of its own. Where there are modules, it loads them
     * for that.
     *
     * @throws IOException if it cannot be asked
     */
    static boolean takesState() throws IOException {
        return CurrentProcess.inNetworkNamespaceOfItsOwn(() -> {
            StateSpec spec = StateSpec.builder()
                    .saddr(Address.parse("192.0.2.1"))
                    .id(new StateId(Address.parse("192.0.2.2"), 0x1000, IpProtocol.ESP))
                    .family(AddressFamily.INET)
                    .mode(Mode.TUNNEL)
                    .cipher(new Algorithm("ecb(cipher_null)", 0, 0, new byte[0]))
                    .auth(new Algorithm("digest_null", 0, 0, new byte[0]))
                    .build();
            try (XfrmClient kernel = Clients.xfrmOfKernel()) {
                kernel.addState(spec);
                return true;
            } catch (RefusedException e) {
                if (e.errno() == EPROTONOSUPPORT) {
                    return false;
                }
                throw e;
            } catch (OsException e) {
                if (e.errno() == EPROTONOSUPPORT) {
                    return false;
                }
                throw e;
            }
        });
    }

    private Path shown(Path file) {
        return Path.of("/").resolve(root.relativize(file));
    }

    /** The file that says so. */
    private Optional<Path> blocked() {
        for (String directory : SETTINGS) {
            try (Stream<Path> files = Files.list(root.resolve(directory))) {
                Optional<Path> file = files.filter(each -> each.toString().endsWith(".conf"))
                        .sorted()
                        .filter(KernelEsp::blocks)
                        .findFirst();
                if (file.isPresent()) {
                    return file;
                }
            } catch (IOException e) {
                // Not there.
            }
        }
        return Optional.empty();
    }

    private static boolean blocks(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.anyMatch(line -> line.strip().matches("install\\s+esp4\\s+\\S*/(false|true)\\b.*"));
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean has(Path file, String start) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.anyMatch(line -> line.startsWith(start));
        } catch (IOException e) {
            return false;
        }
    }
}
