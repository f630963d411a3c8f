package org.xfrmbridge.daemon.demo;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Keys negotiated by strongSwan: an unmodified charon on each host, which takes the bridge for its kernel. */
final class CharonKeys implements KeySource {
    private static final int START_SECONDS = 30;
    private static final int SECRET_BYTES = 16;

    @Override
    public String title() {
        return "Keys by strongSwan: an unmodified charon on each host";
    }

    @Override
    public void install(Lab lab, Screen screen) throws DemoException, InterruptedException {
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        screen.typed("xfrm-bridge exec -- charon-systemd");
        Child onA = start(lab, lab.a());
        Child onB = start(lab, lab.b());
        load(lab, lab.a(), lab.b(), HexFormat.of().formatHex(secret), onA);
        load(lab, lab.b(), lab.a(), HexFormat.of().formatHex(secret), onB);
        screen.held(control(lab, lab.a(), "--version", "--daemon").run().strip().replaceAll("\\s+", " "));
        screen.typed("swanctl --initiate --child demo");
        initiate(lab);
        screen.quote(control(lab, lab.a(), "--list-sas").run());
        screen.held("IKE_SA and CHILD_SA are up");
    }

    private static Child start(Lab lab, Host host) throws DemoException {
        lab.write(
                configuration(host) + "/strongswan.conf",
                StrongswanFiles.daemon(vici(lab, host), lab.file(host.file("-charon.log"))));
        // charon wants /run to itself: for its pid file, and not to meet the machine's own charon there.
        Command charon =
                host.underBridge("unshare", "--mount", "sh", "-c", "mount -t tmpfs run /run && exec charon-systemd");
        charon.with(
                "STRONGSWAN_CONF",
                lab.file(configuration(host) + "/strongswan.conf").toString());
        return lab.start("charon on " + host, host.file("-charon.out"), charon);
    }

    private static void load(Lab lab, Host host, Host peer, String secret, Child charon)
            throws DemoException, InterruptedException {
        charon.await(
                "answer swanctl",
                START_SECONDS,
                () -> control(lab, host, "--stats").result().succeeded());
        lab.write(configuration(host) + "/swanctl.conf", StrongswanFiles.connection(host, peer, secret));
        control(lab, host, "--load-all", "--noprompt").run();
    }

    private static void initiate(Lab lab) throws DemoException, InterruptedException {
        if (!control(lab, lab.a(), "--initiate", "--child", "demo", "--timeout", "10")
                .result()
                .succeeded()) {
            throw new DemoException("the two charons did not agree on an SA");
        }
    }

    private static Command control(Lab lab, Host host, String... arguments) {
        List<String> line = new ArrayList<>(List.of("swanctl"));
        line.addAll(List.of(arguments));
        line.addAll(List.of("--uri", vici(lab, host)));
        return lab.command(line)
                .with(
                        "STRONGSWAN_CONF",
                        lab.file(configuration(host) + "/strongswan.conf").toString())
                .with("SWANCTL_DIR", lab.file(configuration(host)).toString());
    }

    private static String configuration(Host host) {
        return host.file("-swanctl");
    }

    private static String vici(Lab lab, Host host) {
        return "unix://" + lab.file(configuration(host) + "/vici");
    }
}
