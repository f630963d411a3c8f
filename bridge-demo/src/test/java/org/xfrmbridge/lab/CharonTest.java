package org.xfrmbridge.lab;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is written for strongSwan. */
class CharonTest {
    @Test
    void shouldNamePrivateSocketAndLogWhenCharonIsConfigured() {
        String daemon = Charon.configuration(
                "unix:///tmp/x/vici", Path.of("/tmp/x/charon.log"), Map.of("install_routes", "no"));
        assertTrue(daemon.contains("socket = unix:///tmp/x/vici\n"), daemon);
        assertTrue(daemon.contains("path = /tmp/x/charon.log\n"), daemon);
        assertTrue(daemon.contains("install_routes = no\n"), daemon);
    }
}
