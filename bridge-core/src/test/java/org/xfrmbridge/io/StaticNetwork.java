package org.xfrmbridge.io;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** A host's network that is what a test says. Everything without an entry of its own goes to one gateway. */
public final class StaticNetwork implements HostNetwork {
    public static final long HOST_MAC = MacAddress.parse("02:00:00:00:00:01");
    public static final long GATEWAY_MAC = MacAddress.parse("02:00:00:00:00:fe");

    private static final int LINK_MTU_BYTES = 1500;

    private final Set<Address> local = new HashSet<>();
    private final Map<Address, NextHop> hops = new HashMap<>();
    private final Map<Integer, Address> sources = new HashMap<>();
    private final Set<Address> nextHops = new HashSet<>();
    private final Set<Address> onLink = new HashSet<>();
    private Set<Integer> xfrmDisabled = Set.of();
    private Set<Integer> policyDisabled = Set.of();
    private NextHop gateway = new NextHop(HOST_MAC, GATEWAY_MAC, 1500);
    private int attachedIndex;
    private final Map<Address, Integer> outputs = new HashMap<>();
    private int outputsAsked;
    private Address localNow;
    private long socket = UNKNOWN_SOCKET;
    private int generation;
    private int resolved;
    private int lastMark;
    private int lastVrf;
    private final Map<Integer, Integer> vrfs = new HashMap<>();
    private int arrival;
    private boolean bound;
    private int servedPort = -1;
    private boolean sends = true;
    private final List<byte[]> sentAsHost = new ArrayList<>();

    public StaticNetwork addLocal(String address) {
        local.add(Address.parse(address));
        generation++;
        return this;
    }

    /** The gateway of some route. */
    public void addNextHop(String address) {
        nextHops.add(Address.parse(address));
    }

    /** Somewhere a route leads without a gateway. */
    public void addOnLink(String address) {
        onLink.add(Address.parse(address));
    }

    /** Null takes every way away. */
    public void setGateway(NextHop hop) {
        gateway = hop;
        generation++;
    }

    public void setMtu(int mtuBytes) {
        setGateway(new NextHop(HOST_MAC, GATEWAY_MAC, mtuBytes));
    }

    /** Null takes it away. */
    public void setSource(int family, String address) {
        sources.put(family, address == null ? null : Address.parse(address));
        generation++;
    }

    /** Also undoes it, with other families or none. */
    public void disableXfrm(Integer... families) {
        xfrmDisabled = Set.of(families);
        generation++;
    }

    /** The same for packets that come in. */
    public void disablePolicy(Integer... families) {
        policyDisabled = Set.of(families);
        generation++;
    }

    /** How often it was asked for a next hop. */
    public int resolved() {
        return resolved;
    }

    /** With which mark it was asked last. */
    public int lastMark() {
        return lastMark;
    }

    @Override
    public int generation() {
        return generation;
    }

    @Override
    public boolean isLocal(int family, long high, long low) {
        boolean group =
                family == AddressFamily.INET ? high >>> 60 == 0xe || high >>> 32 == 0xffffffffL : high >>> 56 == 0xff;
        return group || local.contains(new Address(high, low));
    }

    @Override
    public boolean isLocalNow(int family, Address address) {
        return isLocal(family, address.high(), address.low()) || address.equals(localNow);
    }

    /** An address of which nobody has told yet. */
    public void setLocalNow(String address) {
        localNow = Address.parse(address);
    }

    @Override
    public long socketAt(int family, int protocol, Address here, int localPort, Address remote, int remotePort) {
        return socket;
    }

    /** Whose all flows are from now on. */
    public void setSocket(long cookie) {
        socket = cookie;
    }

    /** The one interface that what was opened can come in by. */
    public void setArrival(int ifindex) {
        arrival = ifindex;
    }

    @Override
    public boolean takesOpened(int ifindex) {
        return ifindex == arrival;
    }

    /** Whether all sockets are bound to what their packets leave by. */
    public void setBound(boolean are) {
        bound = are;
    }

    @Override
    public boolean isBoundTo(
            int ifindex, int family, int protocol, Address here, int localPort, Address remote, int remotePort) {
        return bound;
    }

    /** Where a socket waits that is bound to the interface of {@link #setArrival}. */
    public void setServedPort(int port) {
        servedPort = port;
    }

    @Override
    public boolean isServedAt(int ifindex, int protocol, int port) {
        return ifindex == arrival && port == servedPort;
    }

    @Override
    public List<Address> localAddresses(int family) {
        return local.stream()
                .filter(address -> family == AddressFamily.INET == (address.low() == 0))
                .toList();
    }

    /** Puts an interface into a VRF. */
    public void setVrf(int ifindex, int vrf) {
        vrfs.put(ifindex, vrf);
        vrfs.put(vrf, vrf);
        generation++;
    }

    /** In which VRF it was asked last. */
    public int lastVrf() {
        return lastVrf;
    }

    @Override
    public int vrfOf(int ifindex) {
        return vrfs.getOrDefault(ifindex, 0);
    }

    @Override
    public NextHop resolve(int family, Address source, Address destination, int mark, int vrf) {
        lastVrf = vrf;
        return resolve(family, source, destination, mark);
    }

    @Override
    public NextHop resolve(int family, Address source, Address destination, int mark) {
        resolved++;
        lastMark = mark;
        return hops.getOrDefault(destination, gateway);
    }

    /** Of the interface whose place this is. */
    public void setAttachedIndex(int index) {
        attachedIndex = index;
        generation++;
    }

    @Override
    public int attachedIndex() {
        return attachedIndex;
    }

    /** By which interface packets to an address leave. */
    public void setOutputIndex(String destination, int index) {
        outputs.put(Address.parse(destination), index);
        generation++;
    }

    /** How often it was asked for an output interface. */
    public int outputsAsked() {
        return outputsAsked;
    }

    @Override
    public int outputIndex(int family, Address source, Address destination, int mark) {
        outputsAsked++;
        return outputs.getOrDefault(destination, 0);
    }

    @Override
    public int linkMtuBytes() {
        return LINK_MTU_BYTES;
    }

    @Override
    public boolean isNextHop(int family, Address address) {
        return nextHops.contains(address);
    }

    @Override
    public boolean isOnSubnet(int family, Address address) {
        return !onLink.contains(address);
    }

    /** Whether what is sent as the host's own can be sent. */
    public void setSends(boolean can) {
        sends = can;
    }

    /** Takes the packets that were sent as the host's own. */
    public List<byte[]> drainSentAsHost() {
        List<byte[]> packets = new ArrayList<>(sentAsHost);
        sentAsHost.clear();
        return packets;
    }

    @Override
    public boolean sendAsHost(int family, byte[] data, int at, int bytes) {
        if (sends) {
            sentAsHost.add(Arrays.copyOfRange(data, at, at + bytes));
        }
        return sends;
    }

    @Override
    public boolean isXfrmDisabled(int family) {
        return xfrmDisabled.contains(family);
    }

    @Override
    public boolean isPolicyDisabled(int family) {
        return policyDisabled.contains(family);
    }

    @Override
    public Address sourceFor(int family, Address destination) {
        return sources.get(family);
    }
}
