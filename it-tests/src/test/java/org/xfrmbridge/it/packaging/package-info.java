/** The package, installed in small systems of Debian. */
package org.xfrmbridge.it.packaging;
