package org.xfrmbridge.daemon.web;

import com.google.common.net.HostAndPort;
import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Where the bridge is asked by HTTP, as an operator writes it. */
public final class ListenAddress {
    private static final String FORM = "an address and a port, 127.0.0.1:9477 or [::1]:9477";

    private ListenAddress() {}

    /**
     * Reads "127.0.0.1:9477", "[::1]:9477", "localhost:9477" or, for the loopback address, "9477". Asks no name server.
     *
     * @throws IllegalArgumentException what it is to be instead, for people
     */
    public static InetSocketAddress parse(String text) {
        HostAndPort parts;
        try {
            parts = HostAndPort.fromString(text.matches("\\d+") ? "127.0.0.1:" + text : text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(FORM, e);
        }
        String host = parts.getHost().equals("localhost") ? "127.0.0.1" : parts.getHost();
        if (!parts.hasPort() || !InetAddresses.isInetAddress(host)) {
            throw new IllegalArgumentException(FORM);
        }
        InetAddress address = InetAddresses.forString(host);
        return new InetSocketAddress(address, parts.getPort());
    }
}
