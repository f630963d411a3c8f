package org.xfrmbridge.daemon.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * Where policies do not apply: {@code disable_xfrm} and {@code disable_policy} of an interface, or of "all". There is
 * no {@code disable_xfrm} in IPv6, and its {@code disable_policy} a kernel takes from the interface that has the
 * address; all addresses are the TAP's here.
 */
record PolicySettings(boolean xfrm4, boolean policy4, boolean policy6) {
    static final String ALL = "all";

    /** As they are now, in the network namespace of the calling thread. What cannot be read is off. */
    static PolicySettings read(String device) {
        return new PolicySettings(
                isOn("ipv4", device, "disable_xfrm"),
                isOn("ipv4", device, "disable_policy"),
                isOn("ipv6", device, "disable_policy"));
    }

    private static boolean isOn(String family, String device, String setting) {
        Path directory = Path.of("/proc/sys/net", family, "conf");
        return isOn(directory.resolve(ALL).resolve(setting))
                || isOn(directory.resolve(device).resolve(setting));
    }

    private static boolean isOn(Path file) {
        try {
            return !Files.readString(file).strip().equals("0");
        } catch (IOException e) {
            // No such interface any more, or a kernel without the family or without XFRM.
            return false;
        }
    }

    boolean isXfrmDisabled(int family) {
        return family == AddressFamily.INET && xfrm4;
    }

    boolean isPolicyDisabled(int family) {
        return family == AddressFamily.INET ? policy4 : policy6;
    }
}
