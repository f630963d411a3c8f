/** The command line. */
package org.xfrmbridge.daemon.cli;
