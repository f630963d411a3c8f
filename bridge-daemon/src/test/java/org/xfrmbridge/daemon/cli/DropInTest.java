package org.xfrmbridge.daemon.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files that {@code enable} and {@code disable} write, in a system of one unit that does not run. */
class DropInTest {
    private static final Path LIBRARY = Path.of("/usr/lib/xfrm-bridge/libxfrm-bridge.so");
    private static final Path DIRECTORY = Path.of("/run/xfrm-bridge");

    @TempDir
    private Path root;

    @BeforeEach
    void install() throws IOException {
        Files.createDirectories(root.resolve("usr/lib/systemd/system"));
        Files.createFile(root.resolve("usr/lib/systemd/system/strongswan.service"));
        Files.createFile(root.resolve("usr/lib/systemd/system/charon@.service"));
    }

    private Path file(String unit) {
        return root.resolve("etc/systemd/system/" + unit + ".d/xfrm-bridge.conf");
    }

    @ParameterizedTest
    @ValueSource(strings = {"strongswan", "strongswan.service"})
    void shouldSetBothVariablesAndStartTheBridgeBefore(String name) throws IOException {
        DropIn.of(root, name).write("xfrm-bridge", LIBRARY, DIRECTORY);
        assertEquals("""
                # Of "xfrm-bridge enable"; "xfrm-bridge disable strongswan" takes it away.
                [Unit]
                Wants=xfrm-bridge.service
                After=xfrm-bridge.service
                # Without it the daemon would speak to the kernel's IPsec.
                AssertPathExists=/usr/lib/xfrm-bridge/libxfrm-bridge.so

                [Service]
                Environment=LD_PRELOAD=/usr/lib/xfrm-bridge/libxfrm-bridge.so XFRM_BRIDGE_DIR=/run/xfrm-bridge
                """, Files.readString(file("strongswan.service")));
    }

    @Test
    void shouldKnowInstancesByTheirTemplate() throws IOException {
        DropIn.of(root, "charon@left").write("xfrm-bridge@eth0", LIBRARY, DIRECTORY);
        assertTrue(Files.readString(file("charon@left.service")).contains("\nWants=xfrm-bridge@eth0.service\n"));
    }

    @Test
    void shouldTakeItAwayAndLeaveWhatIsOfOthers() throws IOException {
        DropIn dropIn = DropIn.of(root, "strongswan");
        dropIn.write("xfrm-bridge", LIBRARY, DIRECTORY);
        assertTrue(dropIn.remove());
        assertFalse(Files.exists(file("strongswan.service").getParent()));
        assertFalse(dropIn.remove());

        dropIn.write("xfrm-bridge", LIBRARY, DIRECTORY);
        Path others = Files.createFile(file("strongswan.service").resolveSibling("override.conf"));
        assertTrue(dropIn.remove());
        assertTrue(Files.exists(others));
    }

    /** Who has removed the daemon first can still undo it. */
    @Test
    void shouldTakeItAwayFromAUnitThatIsGone() throws IOException {
        DropIn.of(root, "strongswan").write("xfrm-bridge", LIBRARY, DIRECTORY);
        Files.delete(root.resolve("usr/lib/systemd/system/strongswan.service"));
        assertTrue(DropIn.of(root, "strongswan").remove());
    }

    @Test
    void shouldSayWhichUnitIsThereWhenItIsAnother() {
        IOException reason = assertThrows(IOException.class, () -> DropIn.of(root, "ipsec"));
        assertEquals("there is no unit ipsec.service: name one that is there, as strongswan", reason.getMessage());
    }

    @Test
    void shouldRefuseWhatAUnitCannotHold() throws IOException {
        assertThrows(IOException.class, () -> DropIn.of(root, "../strongswan"));
        DropIn dropIn = DropIn.of(root, "strongswan");
        assertThrows(IOException.class, () -> dropIn.write("xfrm-bridge", Path.of("/a b/c.so"), DIRECTORY));
        assertFalse(Files.exists(file("strongswan.service")));
    }
}
