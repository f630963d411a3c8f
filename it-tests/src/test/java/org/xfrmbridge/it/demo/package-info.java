/** The first thing a newcomer starts. */
package org.xfrmbridge.it.demo;
