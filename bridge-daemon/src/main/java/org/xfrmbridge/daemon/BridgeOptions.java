package org.xfrmbridge.daemon;

import java.nio.file.Path;
import org.xfrmbridge.daemon.attach.DeviceNames;

/**
 * What a bridge is started with.
 *
 * @param privilegedGid whose members may change anything, as root may; negative for nobody
 * @param flows how many are remembered in each direction
 */
public record BridgeOptions(DeviceNames names, Path directory, int privilegedGid, int flows) {}
