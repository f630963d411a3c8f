package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Undoes {@link EnableCommand}. */
@Command(
        name = "disable",
        mixinStandardHelpOptions = true,
        description = "Undoes \"enable\": from its next start on, the daemon speaks to the kernel's IPsec again.",
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:it is so from its next start on", " 1:it could not be done", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge disable strongswan && systemctl restart strongswan"})
final class DisableCommand implements Callable<Integer> {
    @Mixin
    private UnitOption unit;

    @Override
    public Integer call() throws IOException {
        DropIn dropIn = unit.dropIn();
        System.out.println(
                dropIn.remove()
                        ? dropIn.unit() + " speaks to the kernel from its next start on: systemctl restart "
                                + dropIn.unit()
                        : dropIn.unit() + " was not enabled");
        return 0;
    }
}
