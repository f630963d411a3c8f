package org.xfrmbridge.netlink.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.xfrmbridge.km.Migration;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.km.XfrmService.HashThresholds;
import org.xfrmbridge.km.XfrmService.PolicyCounts;
import org.xfrmbridge.km.XfrmService.ReplayUpdate;
import org.xfrmbridge.netlink.map.RequestEncoder;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserPolexpire;
import org.xfrmbridge.netlink.msg.UserpolicyDefault;
import org.xfrmbridge.netlink.msg.UserspiInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * The Linux IPsec databases from Java: States (SAs) and Policies of a kernel or of a bridge, over NETLINK_XFRM. Every
 * method sends one request and waits for its answer. A refusal is a {@link org.xfrmbridge.km.RefusedException} with the
 * errno and the other side's words. Addresses, SPIs and ports are in host order, times in seconds. Changes need
 * CAP_NET_ADMIN. One thread at a time, but streams and subscriptions have connections of their own.
 */
public final class XfrmClient implements AutoCloseable {
    private static final Exchange.Body NOTHING = out -> {};

    private final NetlinkConnection.Opener opener;
    private final Exchange exchange;

    private XfrmClient(NetlinkConnection.Opener opener) throws IOException {
        this.opener = opener;
        this.exchange = new Exchange(opener.open());
    }

    /** With a connection of that opener, which is asked again for every stream and subscription. */
    public static XfrmClient open(NetlinkConnection.Opener opener) throws IOException {
        return new XfrmClient(opener);
    }

    /** NEWSA: EEXIST if there is one. The keys of the spec stay the caller's to wipe. */
    public void addState(StateSpec spec) throws IOException {
        exchange.acknowledged(XfrmMessage.NEWSA, out -> RequestEncoder.putState(out, spec));
    }

    /**
     * UPDSA: completes one that {@link #allocateSpi} made, or changes limits and encapsulation of a live one. ESRCH if
     * there is none.
     */
    public void updateState(StateSpec spec) throws IOException {
        exchange.acknowledged(XfrmMessage.UPDSA, out -> RequestEncoder.putState(out, spec));
    }

    /** DELSA: ESRCH if there is none. */
    public void deleteState(StateKey key) throws IOException {
        exchange.acknowledged(XfrmMessage.DELSA, out -> RequestEncoder.putStateKey(out, key));
    }

    /** GETSA: ESRCH if there is none. */
    public StateEntry state(StateKey key) throws IOException {
        return EventDecoder.state(exchange.answered(XfrmMessage.GETSA, out -> RequestEncoder.putStateKey(out, key)));
    }

    /**
     * A GETSA dump, read as the stream is. Close it if it is not read to its end; an error is an
     * {@link java.io.UncheckedIOException}.
     */
    public Stream<StateEntry> states() throws IOException {
        return DumpReader.start(opener.open(), XfrmMessage.GETSA, NOTHING, EventDecoder::state);
    }

    /** ALLOCSPI: a larval State with a free SPI from {@code min} to {@code max}, unsigned, both included. */
    public StateEntry allocateSpi(StateSpec larval, int min, int max) throws IOException {
        return EventDecoder.state(exchange.answered(XfrmMessage.ALLOCSPI, out -> {
            new UserspiInfo(RequestEncoder.info(larval), min, max).write(out.room(UserspiInfo.BYTES));
            RequestEncoder.putLarval(out, larval);
        }));
    }

    /** FLUSHSA. @param protocol of {@link org.xfrmbridge.xfrm.IpProtocol}, 0 for all that IPsec has */
    public void flushStates(int protocol) throws IOException {
        exchange.acknowledged(XfrmMessage.FLUSHSA, out -> out.room(1).put((byte) protocol));
    }

    /** EXPIRE: as if a limit were reached. @param hard and the State is to go */
    public void expireState(StateSpec spec, boolean hard) throws IOException {
        exchange.acknowledged(XfrmMessage.EXPIRE, out -> {
            new UserExpire(RequestEncoder.info(spec), hard ? 1 : 0).write(out.room(UserExpire.BYTES));
            RequestEncoder.putLarval(out, spec);
        });
    }

    /** GETAE, with both thresholds. */
    public ReplayEntry replay(StateKey key) throws IOException {
        int wanted = XfrmMessage.AE_REPLAY_THRESHOLD | XfrmMessage.AE_TIMER_THRESHOLD;
        return ReplayEntry.of(
                exchange.answered(XfrmMessage.GETAE, out -> RequestEncoder.putAeventId(out, key, 0, wanted)));
    }

    /** NEWAE: sets sequence numbers and counters, as for a State that was moved here. */
    public void updateReplay(ReplayUpdate update) throws IOException {
        exchange.acknowledged(
                XfrmMessage.NEWAE, NetlinkHeader.REPLACE, out -> RequestEncoder.putReplayUpdate(out, update));
    }

    /** NEWPOLICY: EEXIST if its selector, mark and interface have one. */
    public void addPolicy(PolicySpec spec) throws IOException {
        exchange.acknowledged(XfrmMessage.NEWPOLICY, out -> RequestEncoder.putPolicy(out, spec));
    }

    /** UPDPOLICY: puts it in the place of the one that is there, if any. */
    public void updatePolicy(PolicySpec spec) throws IOException {
        exchange.acknowledged(XfrmMessage.UPDPOLICY, out -> RequestEncoder.putPolicy(out, spec));
    }

    /** DELPOLICY: ENOENT if there is none. */
    public void deletePolicy(PolicyKey key) throws IOException {
        exchange.acknowledged(XfrmMessage.DELPOLICY, out -> RequestEncoder.putPolicyKey(out, key));
    }

    /** GETPOLICY: ENOENT if there is none. */
    public PolicyEntry policy(PolicyKey key) throws IOException {
        return EventDecoder.policy(
                exchange.answered(XfrmMessage.GETPOLICY, out -> RequestEncoder.putPolicyKey(out, key)));
    }

    /** A GETPOLICY dump, policies of sockets included; else as {@link #states}. */
    public Stream<PolicyEntry> policies() throws IOException {
        return DumpReader.start(opener.open(), XfrmMessage.GETPOLICY, NOTHING, EventDecoder::policy);
    }

    /** FLUSHPOLICY; policies of sockets stay. */
    public void flushPolicies(PolicySpec.Type type) throws IOException {
        exchange.acknowledged(XfrmMessage.FLUSHPOLICY, out -> RequestEncoder.putPolicyType(out, type));
    }

    /** POLEXPIRE: as if a limit were reached. @param hard and the Policy is to go */
    public void expirePolicy(PolicySpec spec, boolean hard) throws IOException {
        exchange.acknowledged(XfrmMessage.POLEXPIRE, out -> {
            new UserPolexpire(RequestEncoder.info(spec), hard ? 1 : 0).write(out.room(UserPolexpire.BYTES));
            RequestEncoder.putPolicyAttributes(out, spec);
        });
    }

    /** MIGRATE: Policies and States go on with other addresses. */
    public void migrate(Migration migration) throws IOException {
        exchange.acknowledged(XfrmMessage.MIGRATE, out -> RequestEncoder.putMigration(out, migration));
    }

    /** MIGRATE_STATE: one State goes on with other addresses. EINVAL before Linux 7.2. */
    public void migrateState(StateMigration migration) throws IOException {
        exchange.acknowledged(XfrmMessage.MIGRATE_STATE, out -> RequestEncoder.putStateMigration(out, migration));
    }

    /** GETDEFAULT: what becomes of traffic without a Policy. */
    public Defaults defaults() throws IOException {
        return UserpolicyDefault.read(exchange.answered(
                XfrmMessage.GETDEFAULT,
                out -> UserpolicyDefault.write(out.room(UserpolicyDefault.BYTES), new Defaults(0, 0, 0))));
    }

    /** SETDEFAULT. */
    public void setDefaults(Defaults defaults) throws IOException {
        exchange.acknowledged(
                XfrmMessage.SETDEFAULT, out -> UserpolicyDefault.write(out.room(UserpolicyDefault.BYTES), defaults));
    }

    /** GETSADINFO: how many States there are. */
    public int stateCount() throws IOException {
        ByteBuffer payload = exchange.answered(XfrmMessage.GETSADINFO, out -> out.putZeros(Integer.BYTES));
        return Attributes.parse(payload, Integer.BYTES, XfrmAttribute.SAD_HINFO).getInt(XfrmAttribute.SAD_CNT, 0);
    }

    /** GETSPDINFO: how many Policies each direction has, of all and of sockets, and which go into the exact table. */
    public PolicyCounts policyCounts() throws IOException {
        ByteBuffer payload = exchange.answered(XfrmMessage.GETSPDINFO, out -> out.putZeros(Integer.BYTES));
        Attributes info = Attributes.parse(payload, Integer.BYTES, XfrmAttribute.SPD_IPV6_HTHRESH);
        ByteBuffer counts = info.get(XfrmAttribute.SPD_INFO);
        ByteBuffer table = info.get(XfrmAttribute.SPD_HINFO);
        return new PolicyCounts(
                byDirection(counts),
                byDirection(counts),
                table.getInt(),
                table.getInt(),
                Structs.readHashThresholds(info.get(XfrmAttribute.SPD_IPV4_HTHRESH)),
                Structs.readHashThresholds(info.get(XfrmAttribute.SPD_IPV6_HTHRESH)));
    }

    private static int[] byDirection(ByteBuffer in) {
        int[] counts = new int[Direction.values().length];
        for (Direction direction : new Direction[] {Direction.IN, Direction.OUT, Direction.FWD}) {
            counts[direction.number()] = in.getInt();
        }
        return counts;
    }

    /** NEWSPDINFO: the least prefix lengths that go into a kernel's exact table. */
    public void setHashThresholds(HashThresholds ipv4, HashThresholds ipv6) throws IOException {
        exchange.acknowledged(
                XfrmMessage.NEWSPDINFO,
                out -> out.putZeros(Integer.BYTES)
                        .putBytes(XfrmAttribute.SPD_IPV4_HTHRESH, Structs.hashThresholds(ipv4))
                        .putBytes(XfrmAttribute.SPD_IPV6_HTHRESH, Structs.hashThresholds(ipv6)));
    }

    /**
     * Subscribes to events.
     *
     * @param groups {@code GROUP_} numbers of {@link XfrmMessage}
     */
    public XfrmEvents events(int... groups) throws IOException {
        NetlinkConnection connection = opener.open();
        try {
            for (int group : groups) {
                connection.join(group);
            }
        } catch (IOException e) {
            connection.close();
            throw e;
        }
        return new XfrmEvents(connection);
    }

    @Override
    public void close() {
        exchange.close();
    }
}
