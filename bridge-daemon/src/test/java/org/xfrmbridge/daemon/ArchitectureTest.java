package org.xfrmbridge.daemon;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.stream.Stream;

/**
 * Who in the daemon may know whom. From below: {@code os}, {@code status}, {@code figures}; {@code route},
 * {@code port}, {@code client}, {@code selection}; {@code host}, {@code attach}; {@code journal}; {@code control};
 * {@code warmup}, {@code web}, {@code top}, {@code flight}; the assembly; {@code cli}.
 */
@AnalyzeClasses(packages = "org.xfrmbridge.daemon", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String BASE = "org.xfrmbridge.daemon.";

    @ArchTest
    static final ArchRule shouldCallNativeCodeInOneOfItsPackagesAlone = noClasses()
            .that()
            .resideOutsideOfPackage(BASE + "os")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("jnr..", "com.kenai.jffi..", "java.lang.foreign..", "sun..", "jdk.internal..");

    @ArchTest
    static final ArchRule shouldLetSystemCallsKnowNobody = knows("os");

    @ArchTest
    static final ArchRule shouldLetRoutesKnowSystemCallsOnly = knows("route", "os");

    @ArchTest
    static final ArchRule shouldLetPortsKnowSystemCallsOnly = knows("port", "os");

    @ArchTest
    static final ArchRule shouldLetClientsKnowSystemCallsOnly = knows("client", "os");

    @ArchTest
    static final ArchRule shouldLetNetfilterKnowTheSelectionOnly = knows("nft", "os", "selection");

    @ArchTest
    static final ArchRule shouldLetTheSelectionKnowSystemCallsOnly = knows("selection", "os");

    @ArchTest
    static final ArchRule shouldLetTheFirewallKnowNobody = knows("firewall");

    @ArchTest
    static final ArchRule shouldLetTheStatusKnowNobody = knows("status");

    @ArchTest
    static final ArchRule shouldLetTheFiguresKnowNobody = knows("figures");

    @ArchTest
    static final ArchRule shouldLetPacketsKnowNobody = knows("packets");

    @ArchTest
    static final ArchRule shouldLetTheWebKnowTheFiguresOnly = knows("web", "figures");

    @ArchTest
    static final ArchRule shouldLetTheFlightRecorderBeToldOfFiguresOnly = knows("flight", "figures");

    @ArchTest
    static final ArchRule shouldKnowTheFlightRecorderInOnePackageAlone = noClasses()
            .that()
            .resideOutsideOfPackage(BASE + "flight")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jdk.jfr..");

    @ArchTest
    static final ArchRule shouldLetTheScreenKnowTheFiguresOnly = knows("top", "figures");

    @ArchTest
    static final ArchRule shouldKnowTerminalsInOnePackageAlone = noClasses()
            .that()
            .resideOutsideOfPackage(BASE + "top")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.jline..");

    /** A bridge that shows nothing by HTTP loads none of these. */
    @ArchTest
    static final ArchRule shouldKnowMetricsAndHttpInOnePackageAlone = noClasses()
            .that()
            .resideOutsideOfPackage(BASE + "web")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.prometheus..", "com.sun.net.httpserver..");

    @ArchTest
    static final ArchRule shouldLetTheHostKnowRoutesOnly = knows("host", "os", "route");

    @ArchTest
    static final ArchRule shouldLetAttachingKnowRoutesPortsAndNetfilterOnly =
            knows("attach", "os", "route", "port", "nft", "selection", "status");

    @ArchTest
    static final ArchRule shouldLetTheDoctorKnowWhatItLooksAtOnly =
            knows("doctor", "os", "client", "attach", "firewall", "status");

    @ArchTest
    static final ArchRule shouldLetTheJournalKnowTheClockOnly = knows("journal", "os");

    @ArchTest
    static final ArchRule shouldLetControlKnowTheHostAndTheJournalOnly =
            knows("control", "os", "host", "journal", "figures");

    @ArchTest
    static final ArchRule shouldLetTheWarmupKnowWhatItWarmsOnly = knows("warmup", "os", "control", "journal");

    @ArchTest
    static final ArchRule shouldLetNobodyKnowTheCommandLine = noClasses()
            .that()
            .resideOutsideOfPackage(BASE + "cli")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(BASE + "cli");

    @ArchTest
    static final ArchRule shouldHaveNoCircles =
            slices().matching(BASE + "(*)..").should().beFreeOfCycles();

    private static ArchRule knows(String area, String... others) {
        String[] allowed = Stream.concat(Stream.of(area), Stream.of(others))
                .map(name -> BASE + name)
                .toArray(String[]::new);
        return classes()
                .that()
                .resideInAPackage(BASE + area)
                .should()
                .onlyDependOnClassesThat(not(resideInAPackage("org.xfrmbridge.daemon.."))
                        .or(resideInAnyPackage(allowed))
                        .as("are its own or of " + String.join(", ", others)));
    }
}
