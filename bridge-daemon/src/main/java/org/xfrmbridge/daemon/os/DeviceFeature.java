package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A feature of network interfaces, as {@code ethtool -k} shows it and {@code -K} sets it: linux/ethtool.h, by ioctl, in
 * the network namespace of the calling thread. Any thread.
 */
public enum DeviceFeature {
    /** Whether received datagrams of one UDP flow are merged, also those for others: since Linux 5.12. */
    UDP_GRO_FORWARDING("rx-udp-gro-forwarding"),
    /** Whether it finishes checksums of what it sends, of any protocol. */
    CHECKSUMS("tx-checksum-ip-generic"),
    /** Of TCP and UDP. */
    CHECKSUMS_OF_IPV4("tx-checksum-ipv4"),
    CHECKSUMS_OF_IPV6("tx-checksum-ipv6");

    private static final int AF_INET = 2;
    private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
    private static final long SIOCETHTOOL = 0x8946;
    private static final int IFREQ_BYTES = 40;
    private static final int MAX_NAME_BYTES = 15;

    private static final int ETHTOOL_GSTRINGS = 0x1b;
    private static final int ETHTOOL_GSSET_INFO = 0x37;
    private static final int ETHTOOL_GFEATURES = 0x3a;
    private static final int ETHTOOL_SFEATURES = 0x3b;
    private static final int ETH_SS_FEATURES = 4;
    private static final int STRING_BYTES = 32;
    /** Of a block of 32 features: available, requested, active, never changed. */
    private static final int GET_BLOCK_BYTES = 16;

    private static final int ACTIVE = 8;
    /** Valid, requested. */
    private static final int SET_BLOCK_BYTES = 8;

    /** Of a kernel's features, by name; the same for all of its interfaces. */
    private static volatile Map<String, Integer> numbers = Map.of();

    private final String label;

    DeviceFeature(String label) {
        this.label = label;
    }

    /** Whether an interface finishes the checksums of UDP, of both families. */
    public static boolean finishesUdp(String device) {
        return CHECKSUMS.isOn(device) || CHECKSUMS_OF_IPV4.isOn(device) && CHECKSUMS_OF_IPV6.isOn(device);
    }

    /** Whether it is on; false also where nobody can say, or there is no such feature. */
    public boolean isOn(String device) {
        try (Descriptor socket = socket()) {
            return isOn(socket, device, numbers(socket, device));
        } catch (OsException e) {
            return false;
        }
    }

    /** Switches it, where kernel and interface know it and rights suffice. Whether it is on now. */
    public boolean set(String device, boolean on) {
        try (Descriptor socket = socket()) {
            Map<String, Integer> all = numbers(socket, device);
            Integer number = all.get(label);
            if (number == null) {
                return false;
            }
            Memory request = new Memory(8 + blocks(all) * SET_BLOCK_BYTES);
            request.buffer.putInt(0, ETHTOOL_SFEATURES).putInt(4, blocks(all));
            int at = 8 + number / 32 * SET_BLOCK_BYTES;
            int bit = 1 << number % 32;
            request.buffer.putInt(at, bit).putInt(at + 4, on ? bit : 0);
            ask(socket, device, request);
            return isOn(socket, device, all);
        } catch (OsException e) {
            return false;
        }
    }

    private boolean isOn(Descriptor socket, String device, Map<String, Integer> all) throws OsException {
        Integer number = all.get(label);
        if (number == null) {
            return false;
        }
        Memory request = new Memory(8 + blocks(all) * GET_BLOCK_BYTES);
        request.buffer.putInt(0, ETHTOOL_GFEATURES).putInt(4, blocks(all));
        check(ask(socket, device, request), "ioctl(ETHTOOL_GFEATURES, %s)", device);
        int active = request.buffer.getInt(8 + number / 32 * GET_BLOCK_BYTES + ACTIVE);
        return (active >>> number % 32 & 1) != 0;
    }

    private static int blocks(Map<String, Integer> all) {
        return (all.size() + 31) / 32;
    }

    private static Map<String, Integer> numbers(Descriptor socket, String device) throws OsException {
        if (numbers.isEmpty()) {
            numbers = readNumbers(socket, device);
        }
        return numbers;
    }

    private static Map<String, Integer> readNumbers(Descriptor socket, String device) throws OsException {
        Memory info = new Memory(24);
        info.buffer.putInt(0, ETHTOOL_GSSET_INFO).putLong(8, 1 << ETH_SS_FEATURES);
        check(ask(socket, device, info), "ioctl(ETHTOOL_GSSET_INFO, %s)", device);
        int count = info.buffer.getLong(8) == 0 ? 0 : info.buffer.getInt(16);
        Memory strings = new Memory(12 + count * STRING_BYTES);
        strings.buffer.putInt(0, ETHTOOL_GSTRINGS).putInt(4, ETH_SS_FEATURES).putInt(8, count);
        check(ask(socket, device, strings), "ioctl(ETHTOOL_GSTRINGS, %s)", device);
        Map<String, Integer> found = new HashMap<>();
        byte[] text = new byte[STRING_BYTES];
        for (int i = 0; i < count; i++) {
            strings.buffer.get(12 + i * STRING_BYTES, text);
            // Numbers that are not in use have no names.
            String name = new String(text, StandardCharsets.US_ASCII).trim();
            found.put(name.isEmpty() ? "unused " + i : name, i);
        }
        return found;
    }

    private static Descriptor socket() throws OsException {
        return new Descriptor(check(LIBC.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0), "socket(AF_INET)"));
    }

    private static int ask(Descriptor socket, String device, Memory request) {
        Memory ifreq = new Memory(IFREQ_BYTES);
        byte[] name = device.getBytes(StandardCharsets.US_ASCII);
        ifreq.buffer.put(0, name, 0, Math.min(name.length, MAX_NAME_BYTES));
        ifreq.buffer.putLong(MAX_NAME_BYTES + 1, request.pointer);
        try {
            return LIBC.ioctl(socket.fd(), SIOCETHTOOL, ifreq.pointer);
        } finally {
            Reference.reachabilityFence(request);
        }
    }
}
