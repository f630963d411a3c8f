package org.xfrmbridge.datapath;

/** Somebody who wants to know what flows. Is shown some batches of all. Datapath threads call it, each for itself. */
public interface PacketSampler {
    /** @param weight how many packets it stands for, itself among them */
    void sample(PacketRecord packet, double weight);
}
