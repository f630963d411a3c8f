package org.xfrmbridge;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What bridge-core may use, and who in it may know whom. */
@AnalyzeClasses(packages = "org.xfrmbridge", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final DescribedPredicate<JavaClass> SOCKETS = nameMatching(
                    "java\\.net\\.(.*Socket.*|URL.*|Http.*|NetworkInterface)")
            .forSubtype();

    @ArchTest
    static final ArchRule shouldUseNoSocketsOrChannels = noClasses()
            .should()
            .dependOnClassesThat(
                    SOCKETS.or(resideInAnyPackage("java.nio.channels..", "java.net.http..", "java.nio.file.."))
                            .as("are sockets, channels or files"));

    @ArchTest
    static final ArchRule shouldUseNoNativeCode = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("jnr..", "com.kenai.jffi..", "java.lang.foreign..", "sun..", "jdk.internal..");

    @ArchTest
    static final ArchRule shouldTakeTimeFromTheClockAlone = noClasses()
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .callMethod(Thread.class, "sleep", java.time.Duration.class)
            .orShould()
            .dependOnClassesThat()
            .resideInAPackage("java.time..")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName(java.util.Date.class.getName());

    @ArchTest
    static final ArchRule shouldLetTransformsKnowNobody = knows("esp");

    @ArchTest
    static final ArchRule shouldLetTheVocabularyKnowTransformsAndTimersOnly = knows("xfrm", "esp", "time");

    @ArchTest
    static final ArchRule shouldLetTimeKnowNobody = knows("time");

    @ArchTest
    static final ArchRule shouldLetPortsKnowTheVocabularyOnly = knows("io", "xfrm");

    @ArchTest
    static final ArchRule shouldLetHeadersKnowTheVocabularyAndFramesOnly = knows("net", "xfrm", "io");

    @ArchTest
    static final ArchRule shouldLetOffloadsKnowHeadersAndFramesOnly = knows("offload", "net", "io");

    @ArchTest
    static final ArchRule shouldLetControlKnowNothingOfPackets = knows("km", "xfrm", "esp", "db", "time");

    @ArchTest
    static final ArchRule shouldLetThePacketPathSpeakToControlThroughEventsOnly = noClasses()
            .that()
            .resideInAPackage("org.xfrmbridge.datapath..")
            .should()
            .dependOnClassesThat(resideInAPackage("org.xfrmbridge.km..")
                    .and(DescribedPredicate.not(nameMatching("org\\.xfrmbridge\\.km\\.DatapathEvents")
                            .forSubtype()))
                    .as("are of km, but not DatapathEvents"))
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule shouldLetDatabasesKnowTheVocabularyOnly = knows("db", "xfrm");

    @ArchTest
    static final ArchRule shouldHaveNoCircles =
            slices().matching("org.xfrmbridge.(*)..").should().beFreeOfCycles();

    private static ArchRule knows(String area, String... others) {
        DescribedPredicate<JavaClass> ours = resideInAPackage("org.xfrmbridge..");
        DescribedPredicate<JavaClass> allowed = resideInAPackage("org.xfrmbridge." + area + "..");
        for (String other : others) {
            allowed = allowed.or(resideInAPackage("org.xfrmbridge." + other + ".."));
        }
        return classes()
                .that()
                .resideInAPackage("org.xfrmbridge." + area + "..")
                .should()
                .onlyDependOnClassesThat(
                        DescribedPredicate.not(ours).or(allowed).as("are its own or of " + String.join(", ", others)));
    }
}
