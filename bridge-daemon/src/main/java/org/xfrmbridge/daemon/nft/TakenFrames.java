package org.xfrmbridge.daemon.nft;

import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;

/**
 * A chain at the ingress of a device that drops what a {@link org.xfrmbridge.daemon.os.PacketRing} takes there, and
 * nothing else: sockets of packets are in front of it.
 */
public final class TakenFrames {
    private TakenFrames() {}

    /**
     * @param batch about a table of {@link Family#NETDEV}
     * @param mostPacketBytes as the ring has it
     */
    public static Batch drop(Batch batch, String chain, String device, int mostPacketBytes) {
        return batch.addChain(chain, new Hook("filter", Hook.INGRESS, 0, device), Policy.ACCEPT)
                .addRule(chain, PlainEsp.ipv4(mostPacketBytes).drop())
                .addRule(chain, PlainEsp.ipv6(mostPacketBytes).drop());
    }
}
