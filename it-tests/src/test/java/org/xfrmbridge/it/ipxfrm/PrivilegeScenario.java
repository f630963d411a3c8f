package org.xfrmbridge.it.ipxfrm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Command.Result;
import org.xfrmbridge.lab.Gateway;
import org.xfrmbridge.lab.Namespace;

/**
 * Why: a kernel answers root alone; a bridge root and the members of {@code run --group}, as its sockets' credentials
 * tell. Topology: one host with a bridge whose group is daemon. Steps: {@code ip xfrm} of root, of a member that is not
 * root, and of a stranger; a stranger asks this machine's kernel, too. Expected: the member may do all that root may,
 * the stranger is refused in the kernel's words.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE, Requirement.XFRM_USER})
class PrivilegeScenario {
    private static final String GROUP = "daemon";
    private static final String[] ADD = {
        "ip",
        "xfrm",
        "state",
        "add",
        "src",
        "192.0.2.1",
        "dst",
        "192.0.2.2",
        "proto",
        "esp",
        "spi",
        "0x100",
        "mode",
        "tunnel",
        "aead",
        "rfc4106(gcm(aes))",
        "0x0102030405060708090a0b0c0d0e0f1011121314",
        "128"
    };
    private static final String[] LIST = {"ip", "xfrm", "state"};

    @Test
    void shouldServeMembersOfTheGroupAndRefuseStrangers() throws IOException {
        try (Scene scene = new Scene("privilege")) {
            Namespace host = new Namespace(scene, "host");
            Namespace.connect(host, Gateway.DEVICE, new Namespace(scene, "wire"), "left");
            BridgeProcess bridge = BridgeProcess.launch(scene, host, Attachment.STACK, List.of("--group", GROUP));
            bridge.awaitReady();
            for (Path path = bridge.directory();
                    path.startsWith("/tmp/") && path.getNameCount() > 1;
                    path = path.getParent()) {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
            }

            Path library =
                    Files.copy(BridgeProcess.library(), bridge.directory().resolveSibling("libxfrm-bridge.so"));

            Result stranger =
                    diverted(bridge, library, as("--clear-groups", ADD)).result();
            assertNotEquals(0, stranger.exitCode());
            assertEquals(host.command(as("--clear-groups", ADD)).result().output(), stranger.output());
            assertEquals(
                    host.command(as("--clear-groups", LIST)).result().output(),
                    diverted(bridge, library, as("--clear-groups", LIST))
                            .result()
                            .output());
            assertEquals("", bridge.run(LIST));

            diverted(bridge, library, as("--groups=" + GROUP, ADD)).run();
            assertEquals(
                    bridge.run(LIST),
                    diverted(bridge, library, as("--groups=" + GROUP, LIST)).run());
            assertTrue(bridge.run(LIST).contains("spi 0x00000100"));
        }
    }

    /** By a copy of the library: the user nobody cannot read one in a tree that is in the home of root. */
    private static Command diverted(BridgeProcess bridge, Path library, String... command) {
        return bridge.command(command).with("XFRM_BRIDGE_LIBRARY", library.toString());
    }

    /** As nobody, with other groups or with none. */
    private static String[] as(String groups, String... command) {
        List<String> line = new ArrayList<>(List.of("setpriv", "--reuid=nobody", "--regid=nogroup", groups));
        line.addAll(List.of(command));
        return line.toArray(String[]::new);
    }
}
