/**
 * What one thread publishes without a lock and others read, for jcstress: every outcome that is seen must be one that
 * is listed.
 */
package org.xfrmbridge.concurrency;
