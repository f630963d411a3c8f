package org.xfrmbridge.demo;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(
        packages = {"org.xfrmbridge.demo", "org.xfrmbridge.lab"},
        importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    /** It judges the program from outside, by what it runs and what that prints. */
    @ArchTest
    static final ArchRule shouldLetTheLabKnowNothingOfTheProgram = classes()
            .that()
            .resideInAPackage("org.xfrmbridge.lab")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("org.xfrmbridge.lab", "java..");

    @ArchTest
    static final ArchRule shouldUseNoNativeCode =
            noClasses().should().dependOnClassesThat().resideInAnyPackage("jnr..", "java.lang.foreign..", "sun..");
}
