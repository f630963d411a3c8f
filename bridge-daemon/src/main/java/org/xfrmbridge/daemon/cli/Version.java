package org.xfrmbridge.daemon.cli;

import picocli.CommandLine.IVersionProvider;

/** The version that the build wrote into the jar. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {
            "xfrm-bridge " + (version == null ? "(not packaged)" : version), "JDK " + Runtime.version(),
        };
    }
}
