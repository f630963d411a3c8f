package org.xfrmbridge.it.ipxfrm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.xfrmbridge.it.harness.QemuGuest;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.it.harness.UmlGuest;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Userland;

/** Where a script of {@code ip xfrm} commands can run. */
enum Oracle {
    /** This machine's kernel, in a fresh namespace: enough for policies. */
    HOST_KERNEL {
        @Override
        String run(Scene scene, String script) {
            Namespace host = connected(scene, "kernel");
            return host.command("sh", written(scene, neighbour(Gateway.DEVICE) + script))
                    .within(LIMIT)
                    .run();
        }
    },
    /** A user-mode-linux kernel, which has ESP. */
    UML {
        @Override
        String run(Scene scene, String script) {
            return UmlGuest.boot(scene, DUMMY + script).finish(LIMIT);
        }

        @Override
        String directory(Scene scene) {
            return "/tmp";
        }
    },
    /** Linux 6.12 in a virtual machine, with the programs of the {@link Userland}. */
    LINUX_6_12 {
        @Override
        String run(Scene scene, String script) {
            String device = "ip link add dummy0 type dummy\n" + DUMMY;
            return QemuGuest.runOnHostFiles(scene, MODULES, Userland.enter() + device + script, GUEST_LIMIT);
        }

        @Override
        String directory(Scene scene) {
            return "/tmp";
        }
    },
    BRIDGE_IN_STACK {
        @Override
        String run(Scene scene, String script) {
            return onBridge(scene, Attachment.STACK, script);
        }
    },
    BRIDGE_ON_WIRE {
        @Override
        String run(Scene scene, String script) {
            return onBridge(scene, Attachment.WIRE, script);
        }
    };

    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final Duration GUEST_LIMIT = Duration.ofMinutes(10);
    private static final List<String> MODULES =
            List.of("overlay", "dummy", "xfrm_user", "esp4", "seqiv", "gcm", "ctr", "ghash-generic");
    /** The guest has no network; its module brings this device. */
    private static final String DUMMY =
            "ip link set dummy0 up\nip address add 192.0.2.1/24 dev dummy0\n" + neighbour("dummy0");

    private static Namespace connected(Scene scene, String role) {
        Namespace host = new Namespace(scene, role);
        Namespace.connect(host, Gateway.DEVICE, new Namespace(scene, "wire"), "left");
        host.address(Gateway.DEVICE, "192.0.2.1/24");
        return host;
    }

    private static String onBridge(Scene scene, Attachment attachment, String script) {
        BridgeProcess bridge = BridgeProcess.start(scene, connected(scene, "host"), attachment);
        return bridge.command("sh", written(scene, neighbour(bridge.device()) + script))
                .within(LIMIT)
                .run();
    }

    /** Where packets to 192.0.2.2 go, which nobody answers. */
    private static String neighbour(String device) {
        return "ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev " + device + "\n";
    }

    abstract String run(Scene scene, String script);

    /** A directory the script may write to. */
    String directory(Scene scene) {
        return scene.directory().toString();
    }

    private static String written(Scene scene, String script) {
        try {
            Path file = scene.file("script");
            Files.writeString(file, script);
            return file.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
