package org.xfrmbridge.it.harness;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Userland;

/** What this machine has to offer, and what to install where it does not. */
public enum Requirement {
    ROOT(
            "the right to make network namespaces (root), and ip, ping and sysctl to do so"
                    + " (packages iproute2, iputils-ping, procps)",
            "ip",
            "ping",
            "sysctl") {
        @Override
        boolean met() {
            return super.met()
                    && "0".equals(Command.of("id", "-u").result().output().strip())
                    && Command.of("unshare", "--net", "true").result().exitCode() == 0;
        }
    },
    TUN("/dev/net/tun") {
        @Override
        boolean met() {
            return Files.isReadable(Path.of("/dev/net/tun"));
        }
    },
    BRIDGE("the program itself (mvn verify builds it)") {
        @Override
        boolean met() {
            return Files.isExecutable(BridgeProcess.program());
        }
    },
    TCPDUMP("tcpdump (package tcpdump)", "tcpdump"),
    TSHARK("tshark (package tshark)", "tshark"),
    GCC("a C compiler (packages gcc, libc6-dev)", "gcc"),
    FPING("fping (package fping)", "fping"),
    ETHTOOL("ethtool (package ethtool)", "ethtool"),
    CHARON(
            "charon-systemd, swanctl and pki (packages charon-systemd, strongswan-swanctl, strongswan-pki)",
            "charon-systemd",
            "swanctl",
            "pki"),
    IP_WITH_DIRECTIONS("an ip that knows directions of States (Debian 13's package iproute2, or newer)") {
        @Override
        boolean met() {
            return new Command(Userland.seenBy("ip", "xfrm", "state", "help"))
                    .result()
                    .output()
                    .contains("[ dir DIR ] [ seq SEQ ]");
        }
    },
    IKED("iked and ikectl (package openiked)", "iked", "ikectl"),
    /** Named by the system property {@code libreswan}; it is laid over this machine's {@code /usr} for pluto alone. */
    LIBRESWAN("libreswan unpacked in it-tests/target/libreswan (./check does that), and overlay mounts") {
        @Override
        boolean met() {
            return Files.isExecutable(libreswan("pluto")) && overlays(libreswan() + "/usr");
        }
    },
    /** It has a program that later ones have not. */
    LIBRESWAN_4(
            "libreswan 4: where packets are used up 5.2 loses pings; it is not known whether it would on a kernel") {
        @Override
        boolean met() {
            return Files.isExecutable(libreswan("auto"));
        }
    },
    /** Of Debian 13 on, these packages cannot be installed beside charon-systemd. */
    STARTER("ipsec and the charon that it starts (packages strongswan-starter, strongswan-charon)", "ipsec") {
        @Override
        boolean met() {
            return super.met() && Files.isExecutable(Path.of("/usr/lib/ipsec/charon"));
        }
    },
    NFT("nft (package nftables)", "nft"),
    IPTABLES(
            "both kinds of iptables (package iptables)",
            "iptables-nft",
            "iptables-legacy",
            "ip6tables-nft",
            "ip6tables-legacy"),
    FIREWALLD("firewalld and a message bus (package firewalld)", "firewalld", "firewall-cmd", "dbus-daemon"),
    UFW("ufw (package ufw)", "ufw"),
    IPERF("iperf3 (package iperf3)", "iperf3"),
    KEEPALIVED("keepalived (package keepalived)", "keepalived"),
    XL2TPD("xl2tpd (package xl2tpd)", "xl2tpd"),
    DHCP("dhclient and dnsmasq (packages isc-dhcp-client, dnsmasq-base)", "dhclient", "dnsmasq"),
    /**
     * Named by the system property {@code network-programs}; they are laid over this machine's files for themselves.
     */
    NETWORK_PROGRAMS(
            "systemd-networkd, udev and D-Bus (packages systemd, udev, dbus), overlay mounts, and NetworkManager,"
                    + " dhcpcd and ifupdown unpacked in it-tests/target/network-programs (./check does that)",
            "networkctl",
            "udevadm",
            "dbus-daemon") {
        @Override
        boolean met() {
            String usr = networkPrograms() + "/usr";
            return super.met()
                    && Stream.of("NetworkManager", "dhcpcd", "ifup")
                            .allMatch(program -> Files.isExecutable(Path.of(usr, "sbin", program)))
                    && overlays(usr);
        }
    },
    RADVD("radvd (package radvd)", "radvd"),
    CHROMIUM("Chromium (package chromium)", "chromium"),
    PROMTOOL("promtool of Prometheus unpacked in it-tests/target/prometheus (./check does that)") {
        @Override
        boolean met() {
            return Files.isExecutable(promtool());
        }
    },
    /** An engine of our own is started, and its image made from Debian's packages. */
    DOCKER(
            "a Docker engine to start and mmdebstrap (packages docker.io, mmdebstrap)",
            "dockerd",
            "docker",
            "mmdebstrap"),
    /** The plugin of Docker, or its older form, which is a program of its own. */
    COMPOSE("docker-compose (package docker-compose)", "docker-compose"),
    /** With which {@code ./package} works. */
    PACKAGING(
            "what ./package needs (packages debhelper, asciidoctor, unzip, binutils)",
            "dh",
            "asciidoctor",
            "unzip",
            "strip"),
    MMDEBSTRAP("mmdebstrap (package mmdebstrap)", "mmdebstrap"),
    DEBIAN_PYTHON("Python 3 (package python3)") {
        @Override
        boolean met() {
            return Files.isExecutable(Path.of(PYTHON));
        }
    },
    /** Debian's package is one of Debian's Python, whatever other {@code python3} comes first. */
    SCAPY("Scapy (package python3-scapy)") {
        @Override
        boolean met() {
            return DEBIAN_PYTHON.met()
                    && Command.of(PYTHON, "-c", "import scapy").result().exitCode() == 0;
        }
    },
    /** A user-mode-linux kernel with modules; the scenario brings its own first process, for which it needs gcc. */
    UML("a user-mode-linux kernel and a C compiler (packages user-mode-linux, gcc, libc6-dev)", "linux.uml", "gcc") {
        @Override
        boolean met() {
            return super.met() && UmlGuest.modules().isPresent();
        }
    },
    /** The kernel of Debian 12's package: later ones answer otherwise in places. */
    UML_6_1("Linux 6.1 as user-mode-linux (package user-mode-linux of Debian 12) and a C compiler") {
        @Override
        boolean met() {
            return UML.met()
                    && UmlGuest.modules().orElseThrow().getFileName().toString().startsWith("6.1.");
        }
    },
    /** Linux 6.12 with ESP in a virtual machine. */
    QEMU(
            "qemu, a C compiler and a kernel package (qemu-system-x86, gcc, libc6-dev; see docs/conformance.md)",
            "qemu-system-x86_64",
            "gcc") {
        @Override
        boolean met() {
            return super.met() && QemuGuest.installed().isPresent();
        }
    },
    /** The same with this machine's files. */
    QEMU_FILES(
            "qemu, virtiofsd and a kernel package (qemu-system-x86, virtiofsd; see docs/conformance.md)",
            "qemu-system-x86_64") {
        @Override
        boolean met() {
            return super.met()
                    && QemuGuest.installed().isPresent()
                    && QemuGuest.virtiofsd().isPresent();
        }
    },
    HOST_6_18("Linux 6.18 with NETLINK_XFRM and a C compiler: older kernels answer otherwise in places", "gcc") {
        @Override
        boolean met() {
            return super.met()
                    && XFRM_USER.met()
                    && System.getProperty("os.version").startsWith("6.18.");
        }
    },
    XFRM_USER("a kernel that answers NETLINK_XFRM") {
        @Override
        boolean met() {
            return Command.of("unshare", "--net", "ip", "xfrm", "policy", "count")
                            .result()
                            .exitCode()
                    == 0;
        }
    };

    /** The Python that has Debian's packages. */
    public static final String PYTHON = "/usr/bin/python3";

    private final String text;
    private final String[] tools;

    Requirement(String text, String... tools) {
        this.text = text;
        this.tools = tools;
    }

    private static String libreswan() {
        return System.getProperty("libreswan", "target/libreswan");
    }

    private static Path libreswan(String program) {
        return Path.of(libreswan(), "usr/libexec/ipsec", program);
    }

    /** Where that program is unpacked, which may be nowhere. */
    public static Path promtool() {
        return Path.of(System.getProperty("prometheus", "target/prometheus"), "usr/bin/promtool")
                .toAbsolutePath();
    }

    /** Where programs for networks are unpacked, which may be nowhere. */
    public static String networkPrograms() {
        return Path.of(System.getProperty("network-programs", "target/network-programs"))
                .toAbsolutePath()
                .toString();
    }

    /** Whether a directory can be laid over {@code /usr}. */
    private static boolean overlays(String directory) {
        String layers = "lowerdir=" + directory + ":/usr";
        return Command.of("unshare", "--mount", "mount", "-t", "overlay", "overlay", "-o", layers, "/usr")
                .result()
                .succeeded();
    }

    boolean met() {
        return Arrays.stream(tools).allMatch(tool -> Command.find(tool).isPresent());
    }

    /** The reason to skip, if it is not met. */
    Optional<String> missing() {
        return met() ? Optional.empty() : Optional.of("needs " + text);
    }
}
