package org.xfrmbridge.daemon.packets;

import java.util.List;
import org.xfrmbridge.explain.PacketReport;

/**
 * What a trace has seen since it was asked last.
 *
 * @param lost how many packets were let go, as nobody read fast enough
 */
public record TraceBatch(List<PacketReport> packets, long lost) {}
