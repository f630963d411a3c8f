package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A feature of network interfaces, as {@code ethtool -k} shows it and {@code -K} sets it: linux/ethtool.h, by ioctl, in
 * the network namespace of the calling thread. Any thread.
 */
public enum DeviceFeature {
    /** Whether received datagrams of one UDP flow are merged, also those for others: since Linux 5.12. */
    UDP_GRO_FORWARDING("rx-udp-gro-forwarding");

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

    private final String label;

    DeviceFeature(String label) {
        this.label = label;
    }

    /** Whether it is on; false also where nobody can say, or there is no such feature. */
    public boolean isOn(String device) {
        try (Descriptor socket = socket()) {
            int features = count(socket, device);
            int number = number(socket, device, features);
            return number >= 0 && isOn(socket, device, features, number);
        } catch (OsException e) {
            return false;
        }
    }

    /** Switches it, where kernel and interface know it and rights suffice. Whether it is on now. */
    public boolean set(String device, boolean on) {
        try (Descriptor socket = socket()) {
            int features = count(socket, device);
            int number = number(socket, device, features);
            if (number < 0) {
                return false;
            }
            Memory request = new Memory(8 + blocks(features) * SET_BLOCK_BYTES);
            request.buffer.putInt(0, ETHTOOL_SFEATURES).putInt(4, blocks(features));
            int at = 8 + number / 32 * SET_BLOCK_BYTES;
            int bit = 1 << number % 32;
            request.buffer.putInt(at, bit).putInt(at + 4, on ? bit : 0);
            ask(socket, device, request);
            return isOn(socket, device, features, number);
        } catch (OsException e) {
            return false;
        }
    }

    private static boolean isOn(Descriptor socket, String device, int features, int number) throws OsException {
        Memory request = new Memory(8 + blocks(features) * GET_BLOCK_BYTES);
        request.buffer.putInt(0, ETHTOOL_GFEATURES).putInt(4, blocks(features));
        check(ask(socket, device, request), "ioctl(ETHTOOL_GFEATURES, %s)", device);
        int active = request.buffer.getInt(8 + number / 32 * GET_BLOCK_BYTES + ACTIVE);
        return (active >>> number % 32 & 1) != 0;
    }

    private static int blocks(int features) {
        return (features + 31) / 32;
    }

    private static int count(Descriptor socket, String device) throws OsException {
        Memory request = new Memory(24);
        request.buffer.putInt(0, ETHTOOL_GSSET_INFO).putLong(8, 1 << ETH_SS_FEATURES);
        check(ask(socket, device, request), "ioctl(ETHTOOL_GSSET_INFO, %s)", device);
        return request.buffer.getLong(8) == 0 ? 0 : request.buffer.getInt(16);
    }

    /** Its place among the features, or -1. */
    private int number(Descriptor socket, String device, int features) throws OsException {
        Memory request = new Memory(12 + features * STRING_BYTES);
        request.buffer.putInt(0, ETHTOOL_GSTRINGS).putInt(4, ETH_SS_FEATURES).putInt(8, features);
        check(ask(socket, device, request), "ioctl(ETHTOOL_GSTRINGS, %s)", device);
        byte[] text = new byte[STRING_BYTES];
        for (int i = 0; i < features; i++) {
            request.buffer.get(12 + i * STRING_BYTES, text);
            if (new String(text, StandardCharsets.US_ASCII).trim().equals(label)) {
                return i;
            }
        }
        return -1;
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
