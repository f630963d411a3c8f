package org.xfrmbridge.daemon.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.netlink.map.AttributeValues;
import org.xfrmbridge.netlink.map.StateDecoder;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Usage;

/**
 * Reads what States a bridge had when it ended. Nothing depends on it but how soon daemons negotiate: what cannot be
 * read is left out.
 */
public final class LostStatesReader {
    private static final Logger LOG = LoggerFactory.getLogger(LostStatesReader.class);

    private record Name(UsersaId id, Mark mark) {}

    private final Map<Name, State> states = new LinkedHashMap<>();

    private LostStatesReader() {}

    /** States without keys, as they are when they are gone. */
    public static Collection<State> read(Path directory) {
        LostStatesReader replay = new LostStatesReader();
        try {
            replay.read(JournalFile.read(directory, StateJournal.NAME).order(ByteOrder.nativeOrder()));
        } catch (IOException | RuntimeException e) {
            LOG.warn("which SAs are gone cannot be read: {}", e.toString());
        }
        return replay.states.values();
    }

    private void read(ByteBuffer journal) {
        NetlinkReader message = new NetlinkReader(journal);
        while (message.next()) {
            ByteBuffer payload = message.payload();
            switch (message.type()) {
                case XfrmMessage.EXPIRE -> put(payload);
                case XfrmMessage.DELSA ->
                    states.remove(new Name(
                            UsersaId.read(payload), AttributeValues.mark(attributes(payload, UsersaId.BYTES))));
                case XfrmMessage.FLUSHSA -> flush(Byte.toUnsignedInt(payload.get(payload.position())));
                default -> {}
            }
        }
    }

    private static Attributes attributes(ByteBuffer payload, int fixedBytes) {
        return Attributes.parse(payload, fixedBytes, XfrmAttribute.MAX);
    }

    private void put(ByteBuffer payload) {
        UsersaInfo info = UserExpire.read(payload).state();
        StateSpec spec = StateDecoder.decodeLarval(info, attributes(payload, UserExpire.BYTES));
        Usage usage = new Usage(
                info.current().bytes(),
                info.current().packets(),
                info.current().addSeconds(),
                info.current().useSeconds());
        states.put(
                new Name(new UsersaId(spec.id(), spec.family()), spec.mark()),
                new State(spec, State.Phase.DEAD, usage));
    }

    private void flush(int protocol) {
        states.values()
                .removeIf(state -> protocol == 0
                        || protocol == IpProtocol.IPSEC_ANY
                        || state.id().protocol() == protocol);
    }
}
