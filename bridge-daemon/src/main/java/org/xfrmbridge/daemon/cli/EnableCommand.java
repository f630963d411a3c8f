package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.os.CurrentProcess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a daemon that systemd starts speak to the bridge. */
@Command(
        name = "enable",
        mixinStandardHelpOptions = true,
        description = {
            "Makes an IKE daemon that systemd starts speak to the bridge, which is started before it: writes "
                    + "/etc/systemd/system/UNIT.service.d/xfrm-bridge.conf. It holds from the daemon's next start on.",
            "Such a daemon never speaks to the kernel's IPsec: without a bridge it does not start, or waits for one."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:it is so from its next start on", " 1:it could not be done", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge enable strongswan && systemctl restart strongswan"})
final class EnableCommand implements Callable<Integer> {
    @Mixin
    private UnitOption unit;

    @Mixin
    private DirectoryOption directory;

    @Option(
            names = "--attach",
            paramLabel = "IFACE",
            description = "The bridge is one that stands in for this interface: the unit xfrm-bridge@IFACE.")
    private String attached;

    @Override
    public Integer call() throws IOException {
        DropIn dropIn = unit.dropIn();
        dropIn.write(
                attached == null ? "xfrm-bridge" : "xfrm-bridge@" + attached,
                CurrentProcess.programFile("libxfrm-bridge.so"),
                directory.directory());
        System.out.println(
                dropIn.unit() + " speaks to the bridge from its next start on: systemctl restart " + dropIn.unit());
        return 0;
    }
}
