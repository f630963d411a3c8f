package org.xfrmbridge.daemon.journal;

import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.netlink.map.PolicyEncoder;
import org.xfrmbridge.netlink.map.StateEncoder;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserpolicyDefault;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/** One change of the databases, to be written as a NETLINK_XFRM message. Any thread. */
sealed interface JournalEntry {
    /** Adds the request to a datagram. */
    void write(NetlinkWriter out);

    /**
     * The first entry of every journal, in a message that means nothing to a kernel: how much less than
     * {@link EntryCount} says is to follow, as it was left out when the journal was written anew. Is no entry itself.
     */
    record Head(long leftOut) implements JournalEntry {
        /** {@code NLMSG_NOOP}. */
        static final int TYPE = 1;

        static final int BYTES = NetlinkHeader.BYTES + Long.BYTES;

        @Override
        public void write(NetlinkWriter out) {
            out.begin(TYPE, 0, 0, 0);
            out.room(Long.BYTES).putLong(leftOut);
            out.end();
        }
    }

    /** A Policy that came, or is another now. As an update, which needs no other to be gone first. */
    record Put(Policy policy) implements JournalEntry {
        @Override
        public void write(NetlinkWriter out) {
            begin(out, XfrmMessage.UPDPOLICY);
            PolicyEncoder.putInfo(out, policy);
            PolicyEncoder.putAttributes(out, sayable(policy.spec()));
            out.end();
        }

        /** A template of PF_KEY takes any algorithm and has no masks; netlink says that by masks with all bits set. */
        private static PolicySpec sayable(PolicySpec spec) {
            for (Template template : spec.templates()) {
                if (template.allAlgorithms() && template.authMask() != -1) {
                    return spec.withTemplates(
                            spec.templates().stream().map(Put::sayable).toList());
                }
            }
            return spec;
        }

        private static Template sayable(Template t) {
            return !t.allAlgorithms()
                    ? t
                    : Template.builder()
                            .id(t.id())
                            .family(t.family())
                            .saddr(t.saddr())
                            .reqid(t.reqid())
                            .mode(t.mode())
                            .share(t.share())
                            .optional(t.optional())
                            .build();
        }
    }

    /** A Policy that went; by its index. */
    record Removal(PolicySpec spec) implements JournalEntry {
        @Override
        public void write(NetlinkWriter out) {
            begin(out, XfrmMessage.DELPOLICY);
            new UserpolicyId(
                            Selector.any(AddressFamily.UNSPEC),
                            spec.index(),
                            spec.direction().number())
                    .write(out.room(UserpolicyId.BYTES));
            PolicyEncoder.putKeyAttributes(out, spec);
            out.end();
        }
    }

    /** All Policies of a type went. */
    record Flush(PolicySpec.Type type) implements JournalEntry {
        @Override
        public void write(NetlinkWriter out) {
            begin(out, XfrmMessage.FLUSHPOLICY);
            PolicyEncoder.putType(out, type);
            out.end();
        }
    }

    /** What becomes of flows without a Policy. */
    record Verdicts(Defaults defaults) implements JournalEntry {
        @Override
        public void write(NetlinkWriter out) {
            begin(out, XfrmMessage.SETDEFAULT);
            UserpolicyDefault.write(out.room(UserpolicyDefault.BYTES), defaults);
            out.end();
        }
    }

    /** A State that came, or is another now: as the EXPIRE that tells of its end. No key is in it. */
    record StatePut(State state) implements JournalEntry {
        @Override
        public void write(NetlinkWriter out) {
            begin(out, XfrmMessage.EXPIRE);
            new UserExpire(StateEncoder.info(state), 1).write(out.room(UserExpire.BYTES));
            StateEncoder.putExpireAttributes(out, state);
            out.end();
        }
    }

    /** A State that went, and whose owner knows. */
    record StateRemoval(State state) implements JournalEntry {
        @Override
        public void write(NetlinkWriter out) {
            begin(out, XfrmMessage.DELSA);
            StateEncoder.id(state).write(out.room(UsersaId.BYTES));
            StateEncoder.putExpireAttributes(out, state);
            out.end();
        }
    }

    /** All States of a protocol went, 0 and 255 as in FLUSHSA. */
    record StateFlush(int protocol) implements JournalEntry {
        @Override
        public void write(NetlinkWriter out) {
            begin(out, XfrmMessage.FLUSHSA);
            out.room(1).put((byte) protocol);
            out.end();
        }
    }

    private static void begin(NetlinkWriter out, int type) {
        out.begin(type, NetlinkHeader.REQUEST, 0, 0);
    }
}
