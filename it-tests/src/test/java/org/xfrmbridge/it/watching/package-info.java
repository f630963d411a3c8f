/** What operators see a bridge by: Prometheus, a browser. */
package org.xfrmbridge.it.watching;
