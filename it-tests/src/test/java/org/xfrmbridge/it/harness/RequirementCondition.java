package org.xfrmbridge.it.harness;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** Skips what {@link Requires} more than there is. Each requirement is looked at once per run. */
public final class RequirementCondition implements ExecutionCondition {
    private static final Map<Requirement, Optional<String>> MISSING = new EnumMap<>(Requirement.class);

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return context.getElement()
                .flatMap(element -> AnnotationSupport.findAnnotation(element, Requires.class))
                .map(RequirementCondition::evaluate)
                .orElseGet(() -> ConditionEvaluationResult.enabled("requires nothing"));
    }

    private static ConditionEvaluationResult evaluate(Requires requires) {
        synchronized (MISSING) {
            for (Requirement requirement : requires.value()) {
                Optional<String> reason = MISSING.computeIfAbsent(requirement, Requirement::missing);
                if (reason.isPresent()) {
                    return ConditionEvaluationResult.disabled(reason.get());
                }
            }
            return ConditionEvaluationResult.enabled("all there");
        }
    }
}
