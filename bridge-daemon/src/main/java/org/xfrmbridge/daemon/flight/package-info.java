/** What a bridge tells the JVM's Flight Recorder while that records. No keys. */
package org.xfrmbridge.daemon.flight;
