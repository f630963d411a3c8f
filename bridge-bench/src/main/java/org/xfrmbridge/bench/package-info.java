/** Programs that measure: JMH benchmarks of lookups and packets, and stress programs on a whole bridge. */
package org.xfrmbridge.bench;
