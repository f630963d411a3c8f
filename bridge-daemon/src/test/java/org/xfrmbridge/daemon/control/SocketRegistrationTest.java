package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.daemon.os.UnixConnection.Credentials;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.xfrm.AddressFamily;

class SocketRegistrationTest {
    private static final String EPERM = "errno 1\n";
    private static final String OK = "ok\n";

    private final Databases databases = new Databases();
    private final XfrmEngine engine =
            XfrmEngine.builder(databases, new SystemClock()).build();
    private SocketRegistry registry;

    @TempDir
    private Path directory;

    @BeforeEach
    void start() throws IOException {
        registry = new SocketRegistry(databases.sockets(), new SocketJournal(directory), new SystemClock());
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    private SocketRegistration of(int uid) {
        Peer peer = new Peer(new Access(-1), new Credentials(1, uid, new int[] {uid}));
        return new SocketRegistration(engine, databases.sockets(), registry, (option, family) -> null, peer);
    }

    /** As a kernel, which asks for the right in setsockopt() of policies alone. */
    @Test
    void shouldRefuseOnlyPoliciesOfAProcessThatGaveUpItsRights() {
        SocketRegistration registration = of(0);
        assertEquals(OK, registration.line("encap 17 2 17 0.0.0.0 4500 2", false));
        assertEquals(OK, registration.line("moved 17 2 17 192.0.2.1 4501", false));
        assertEquals(2, databases.sockets().encapsulationType(AddressFamily.INET, 0xc000_0201L << 32, 0, 4501));
        assertEquals(EPERM, registration.line("policy 17 2 17 0.0.0.0 4500 -", false));
        assertEquals(EPERM, registration.line("ipsec 17 2 17 0.0.0.0 4500 00", false));
        assertEquals(OK, registration.line("policy 17 2 17 0.0.0.0 4500 -", true));
        assertEquals(OK, registration.line("close 17", false));
    }

    @Test
    void shouldRefuseAStrangerEverything() {
        assertEquals(EPERM, of(1000).line("encap 17 2 17 0.0.0.0 4500 2", false));
        assertEquals(EPERM, of(1000).line("close 17", true));
    }
}
