package org.xfrmbridge.daemon.warmup;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.netlink.map.RequestEncoder;
import org.xfrmbridge.netlink.msg.UserspiInfo;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * What a netlink client sends: every common verb for some entries of every kind, which leaves nothing behind. One
 * thread.
 */
final class WarmupRequests {
    private static final int FIRST_SPI = 0x100;
    private static final int LAST_SPI = 0xfff_ffff;

    private final List<byte[]> datagrams = new ArrayList<>();
    private final NetlinkWriter out = new NetlinkWriter();
    private final int batch;
    private final int flags;
    private int requests;

    private WarmupRequests(int batch, int flags) {
        this.batch = batch;
        this.flags = NetlinkHeader.REQUEST | flags;
    }

    /**
     * @param batch requests to a datagram
     * @param flags of each request beside NLM_F_REQUEST
     */
    static List<byte[]> datagrams(int entries, int batch, int flags) {
        WarmupRequests requests = new WarmupRequests(batch, flags);
        requests.policies(entries, WarmupEntries::exact);
        requests.policies(entries, WarmupEntries::prefixed);
        requests.policies(entries, WarmupEntries::overlapping);
        requests.policies(entries, WarmupEntries::random);
        requests.flushedPolicies(entries / 4, WarmupEntries::exact);
        requests.flushedPolicies(entries / 4, WarmupEntries::random);
        requests.states(entries);
        requests.larvals(entries);
        requests.nothing();
        return requests.datagrams;
    }

    /** The size of a client's reads, as the preload library tells it. */
    static byte[] room(int bytes) {
        return new ControlFrame(ControlFrame.ROOM, bytes, 0).toBytes();
    }

    private void policies(int entries, IntFunction<PolicySpec> policy) {
        each(entries, i -> policy(XfrmMessage.NEWPOLICY, policy.apply(i)));
        dump(XfrmMessage.GETPOLICY);
        each(entries, i -> policyKey(XfrmMessage.GETPOLICY, policy.apply(i)));
        each(entries, i -> policy(XfrmMessage.UPDPOLICY, policy.apply(i)));
        each(entries, i -> policyKey(XfrmMessage.DELPOLICY, policy.apply(i)));
    }

    /** What goes as a whole. */
    private void flushedPolicies(int entries, IntFunction<PolicySpec> policy) {
        each(entries, i -> policy(XfrmMessage.NEWPOLICY, policy.apply(i)));
        begin(XfrmMessage.FLUSHPOLICY);
        RequestEncoder.putPolicyType(out, PolicySpec.Type.MAIN);
        end();
        send();
    }

    private void states(int entries) {
        each(entries, i -> state(XfrmMessage.NEWSA, WarmupEntries.state(i)));
        dump(XfrmMessage.GETSA);
        each(entries, i -> stateKey(XfrmMessage.GETSA, WarmupEntries.state(i)));
        each(entries, i -> state(XfrmMessage.UPDSA, WarmupEntries.state(i)));
        each(entries, i -> stateKey(XfrmMessage.DELSA, WarmupEntries.state(i)));
    }

    /** As a daemon does: an SPI first, then what has it. */
    private void larvals(int entries) {
        each(entries, i -> larval(WarmupEntries.larval(i)));
        flushStates();
    }

    /** Which is only acknowledged: so a client learns that all before it is done. */
    private void nothing() {
        out.begin(NetlinkHeader.NOOP, flags | NetlinkHeader.ACK, requests, 0);
        end();
        send();
    }

    private void flushStates() {
        begin(XfrmMessage.FLUSHSA).putZeros(1);
        end();
        send();
    }

    private void each(int entries, IntConsumer request) {
        for (int i = 0; i < entries; i++) {
            request.accept(i);
        }
        send();
    }

    private void policy(int type, PolicySpec spec) {
        RequestEncoder.putPolicy(begin(type), spec);
        end();
    }

    private void policyKey(int type, PolicySpec spec) {
        PolicyKey key =
                new PolicyKey(spec.type(), spec.direction(), 0, spec.selector(), spec.mark(), spec.ifId(), null);
        RequestEncoder.putPolicyKey(begin(type), key);
        end();
    }

    private void state(int type, StateSpec spec) {
        RequestEncoder.putState(begin(type), spec);
        end();
    }

    private void stateKey(int type, StateSpec spec) {
        RequestEncoder.putStateKey(begin(type), new StateKey(spec.id(), spec.family(), spec.mark(), null));
        end();
    }

    private void larval(StateSpec spec) {
        begin(XfrmMessage.ALLOCSPI);
        new UserspiInfo(RequestEncoder.info(spec), FIRST_SPI, LAST_SPI).write(out.room(UserspiInfo.BYTES));
        RequestEncoder.putLarval(out, spec);
        end();
    }

    private void dump(int type) {
        out.begin(type, flags | NetlinkHeader.DUMP, requests, 0);
        end();
        send();
    }

    private NetlinkWriter begin(int type) {
        return out.begin(type, flags, requests, 0);
    }

    private void end() {
        out.end();
        if (++requests % batch == 0) {
            send();
        }
    }

    private void send() {
        if (out.sizeBytes() > 0) {
            datagrams.add(out.toBytes());
            out.truncate(0);
        }
    }
}
